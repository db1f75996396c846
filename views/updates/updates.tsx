import type { FC } from 'hono/jsx';
import { slotsOf } from '../../src/time/window.ts';
import type { UpdatePath } from '../../src/updates/queries.ts';
import type { UpdatesView } from '../../src/updates/updates.ts';
import { Page, type PageFrame } from '../layout.tsx';
import { BarTable } from '../parts/bars.tsx';
import { recordsPath } from '../parts/links.ts';
import { counted } from '../parts/parts.tsx';
import { NothingInScope, RecordsRemoved, ScopeForm, scopeText, withScope } from '../parts/scope-form.tsx';
import { ExportLinks } from '../records/export-links.tsx';
import { UpdateMatrix } from './update-matrix.tsx';

interface UpdatesPageProps extends UpdatesView {
  frame: PageFrame;
  fleets: string[];
  /** Messages by parameter name. */
  errors?: Record<string, string> | undefined;
}

const PATH = '/telemetryui/updates';
const WINDOWS = [7, 14, 35, 91, 364];

export const UpdatesPage: FC<UpdatesPageProps> = props => {
  const { frame, systems, fleets, scope, matrix, paths, knownPaths, classifications, errors } = props;
  const { builds, known, total } = matrix;
  const ofSystem = new Set(builds.map(({ os }) => os)).size > 1;
  const values = { os: scope.systemName, fleet: scope.fleet, days: scope.days };
  const [from] = slotsOf(scope, frame.now);
  const recordsOf = ({ os, from: before, to: after }: Omit<UpdatePath, 'records'>) =>
    os === ''
      ? undefined
      : recordsPath({
          os,
          fleet: scope.fleet,
          classification: classifications.join(','),
          payload: updatePattern(before, after),
          not_payload: FAILED,
          from,
        });
  return (
    <Page frame={frame} title="Updates" help="views" current="updates" live>
      <ScopeForm
        action={PATH}
        label="Filter updates"
        scope={values}
        systems={systems}
        fleets={fleets}
        windows={WINDOWS}
        errors={errors}
      />
      {total === 0 ? (
        <NothingInScope
          frame={frame}
          scope={values}
          what={`This page counts records of ${classifications.join(', ')} whose payload names both builds.`}
        />
      ) : (
        <>
          <h2>
            {counted(total, 'successful update')} in {scopeText(values)}
          </h2>
          <p class="soft">
            Each cell counts updates from the build on the left to the build at the top. Dimmed cells are updates to an
            older build.
            {known > builds.length &&
              ` Of ${known} builds the ${builds.length} with most updates have their own row and column; the last row and column are for all others.`}
          </p>
          <RecordsRemoved frame={frame} from={from} />
          <UpdateMatrix matrix={matrix} ofSystem={ofSystem} recordsOf={recordsOf} />
          <h2>Most used paths</h2>
          <BarTable
            label="Most used paths"
            heads={['From and to', 'Updates']}
            whole={{ names: knownPaths, n: total }}
            rows={paths.map(({ records, ...path }) => ({
              name: <span class="mono">{pathName(path, ofSystem)}</span>,
              href: recordsOf(path),
              n: records,
            }))}
          />
          <ExportLinks href={withScope('/api/updates', values)} tables={{ matrix: 'Matrix', paths: 'Paths' }} />
        </>
      )}
    </Page>
  );
};

const pathName = ({ os, from, to }: Omit<UpdatePath, 'records'>, ofSystem: boolean): string =>
  `${ofSystem || os === '' ? `${os || 'unnamed'} ` : ''}${from} → ${to}`;

/** Regular expressions for the payloads of these updates, including failed ones, in both forms that clients send. */
const updatePattern = (from: string, to: string): string =>
  `(^|\\n)(current_version=|from_version:) *${escaped(from)}\\s(.*\\n)?(server_version=|to_version:) *${escaped(to)}(\\s|$)`;
const FAILED = '(^|\\n)result(=|:) *([^0\\s]|0\\S)';

const escaped = (build: string): string => build.replaceAll(/[.+^]/g, '\\$&');

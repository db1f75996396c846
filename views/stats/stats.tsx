import type { Child, FC } from 'hono/jsx';
import type { ShareKind, Shares } from '../../src/stats/queries.ts';
import type { Scope } from '../../src/time/scope.ts';
import { slotsOf } from '../../src/time/window.ts';
import { Page, type PageFrame } from '../layout.tsx';
import { BarTable } from '../parts/bars.tsx';
import { SelectField } from '../parts/fields.tsx';
import { type FilterValues, recordsPath } from '../parts/links.ts';
import { counted, Severity } from '../parts/parts.tsx';
import { NothingInScope, RecordsRemoved, ScopeForm, scopeText, withScope } from '../parts/scope-form.tsx';
import { ExportLinks } from '../records/export-links.tsx';

export interface StatsView {
  scope: Scope;
  /** The most rows that a table shows. */
  top: number;
  shares: Record<ShareKind, Shares>;
}

interface StatsPageProps extends StatsView {
  frame: PageFrame;
  systems: string[];
  fleets: string[];
  /** Messages by parameter name. */
  errors?: Record<string, string> | undefined;
}

const PATH = '/telemetryui/stats';
const WINDOWS = [1, 3, 7, 14, 35, 91, 364];

const TITLES: Record<ShareKind, string> = {
  classification: 'Classification',
  severity: 'Severity',
  system: 'OS',
  platform: 'Platform',
  architecture: 'Architecture',
  kernel: 'Kernel version',
};

export const StatsPage: FC<StatsPageProps> = props => {
  const { frame, systems, fleets, scope, top, shares, errors } = props;
  const values = { os: scope.systemName, fleet: scope.fleet, days: scope.days };
  const query = { ...values, top: top === 20 ? undefined : top };
  const { records } = shares.classification;
  return (
    <Page frame={frame} title="Stats" help="views" current="stats" live>
      <ScopeForm
        action={PATH}
        label="Filter stats"
        scope={values}
        systems={systems}
        fleets={fleets}
        windows={WINDOWS}
        errors={errors}
      >
        <SelectField name="top" label="Rows at most" value={String(top)} error={errors?.top} options={TOPS} />
      </ScopeForm>
      {records === 0 ? (
        <NothingInScope frame={frame} scope={values} what="Any record fills this page." />
      ) : (
        <>
          <h2>
            {counted(records, 'record')} in {scopeText(values)}
          </h2>
          <RecordsRemoved frame={frame} from={slotsOf(scope, frame.now)[0]} />
          <div class="halves">
            {KINDS_SHOWN.map(kind => (
              <section>
                <h2>{TITLES[kind]}</h2>
                <ShareTable {...props} kind={kind} />
              </section>
            ))}
          </div>
          <ExportLinks href={withScope('/api/stats', query)} tables={TITLES} />
        </>
      )}
    </Page>
  );
};

const KINDS_SHOWN: ShareKind[] = ['classification', 'platform', 'system', 'severity', 'kernel', 'architecture'];

const TOPS: [string, string][] = ['10', '20', '50', '100', '1000'].map(n => [n, n]);

const ShareTable: FC<StatsPageProps & { kind: ShareKind }> = ({ frame, scope, shares, kind }) => {
  const { rows, names, records } = shares[kind];
  const [from] = slotsOf(scope, frame.now);
  const behind = { os: scope.systemName, fleet: scope.fleet, from };
  return (
    <BarTable
      label={`Records by ${TITLES[kind]}`}
      heads={[TITLES[kind], 'Records']}
      whole={{ names, n: records }}
      rows={rows.map(({ name, records: n }) => {
        const filter = filterOf(kind, name);
        return { name: shown(kind, name), n, href: filter && recordsPath({ ...behind, ...filter }) };
      })}
    />
  );
};

/** The records filter for a value, if the search has one. */
const filterOf = (kind: ShareKind, name: string): FilterValues | undefined => {
  if (kind === 'classification') return { classification: name };
  if (kind === 'severity') return { severity: name };
  if (name === '') return undefined;
  if (kind === 'system') return { os: name };
  if (kind === 'platform') return { host_type: name };
  if (kind === 'architecture') return { arch: name };
  return { kernel_version: name };
};

const shown = (kind: ShareKind, name: string): Child => {
  if (name === '') return <span class="soft">unknown</span>;
  if (kind === 'severity') return <Severity level={Number(name) as 1 | 2 | 3 | 4} />;
  if (kind === 'platform') return name.split('|').join(' | ');
  return name;
};

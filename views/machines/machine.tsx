import type { FC } from 'hono/jsx';
import type { SeenBuild } from '../../src/machines/queries.ts';
import type { StoredRecord } from '../../src/records/record.ts';
import { Page, type PageFrame } from '../layout.tsx';
import { recordPath, recordsPath } from '../parts/links.ts';
import { EmptyState, Pager, Scroll, Severity } from '../parts/parts.tsx';
import { FoundCount } from '../records/found.tsx';
import { PayloadCell } from '../records/payload.tsx';

interface MachinePageProps {
  frame: PageFrame;
  machineId: string;
  /** Records that are kept. */
  found: { n: number; more: boolean };
  /** The latest first. */
  builds: SeenBuild[];
  /** Of this page, newest first. */
  records: StoredRecord[];
  newerHref?: string | undefined;
  olderHref?: string | undefined;
}

export const MachinePage: FC<MachinePageProps> = props => {
  const { frame, machineId, found, builds, records, newerHref, olderHref } = props;
  return (
    <Page frame={frame} title={`Machine ${machineId}`} help="search" current="records" live>
      <p class="soft">
        Everything that reported under this id. A machine takes a new id every 3 days, unless it is configured with one
        of its own.
      </p>
      {builds.length > 0 && <Builds builds={builds} />}
      <section id="results" tabindex={-1} aria-label="Records of this machine">
        <div class="summary">
          <FoundCount found={found} />
          <nav class="links" aria-label="These records">
            <a href={recordsPath({ machine_id: machineId })}>Search these records</a>
          </nav>
        </div>
        {records.length === 0 && (
          <EmptyState title="Its records are no longer kept">
            <p>Retention has removed them; what was counted remains.</p>
          </EmptyState>
        )}
        {[...Map.groupBy(records, ({ receivedAt }) => receivedAt.toISOString().slice(0, 10))].map(([day, ofDay]) => (
          <Day day={day} records={ofDay} />
        ))}
        <Pager newerHref={newerHref} olderHref={olderHref} swaps="results" />
      </section>
    </Page>
  );
};

const Builds: FC<{ builds: SeenBuild[] }> = ({ builds }) => (
  <dl>
    {builds.map(({ systemName, build, lastDay }) => (
      <div>
        <dt>{lastDay}</dt>
        <dd>
          last seen on {systemName || 'a system that is not named'} <span class="mono">{build}</span>
        </dd>
      </div>
    ))}
  </dl>
);

const Day: FC<{ day: string; records: StoredRecord[] }> = ({ day, records }) => (
  <>
    <h2>{day}</h2>
    <Scroll label={`Records of ${day}`}>
      <table class="records">
        <thead>
          <tr>
            <th>Time</th>
            <th>Severity</th>
            <th>Classification</th>
            <th>OS</th>
            <th>Version</th>
            <th>Payload</th>
          </tr>
        </thead>
        <tbody>
          {records.map(record => (
            <tr>
              <td class="nowrap">
                <a href={recordPath(record.id)}>{record.receivedAt.toISOString().slice(11, 19)}</a>
              </td>
              <td>
                <Severity level={record.severity} />
              </td>
              <td class="nowrap">{record.classification}</td>
              <td class="nowrap">{record.systemName}</td>
              <td class="mono">{record.build}</td>
              <td class="rest">
                <PayloadCell id={record.id} payload={record.payload} limit={2000} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  </>
);

import type { FC } from 'hono/jsx';
import { BarCell } from './bars.tsx';
import { backtracesPath, type CrashFilter, crashesPath } from './crashes-links.ts';
import { count, counted, Scroll } from './parts.tsx';

export interface GuiltyBuild {
  build: string;
  records: number;
  machines: number;
  /** The machines with most records that are still here, most first. */
  top: { machineId: string; records: number }[];
}

export interface BuildsTableProps {
  /** Of the guilty. */
  id: number;
  filter: CrashFilter;
  builds: GuiltyBuild[];
}

export const BuildsTable: FC<BuildsTableProps> = ({ id, filter, builds }) => {
  const records = Math.max(...builds.map(build => build.records));
  const machines = Math.max(...builds.map(build => build.machines));
  return (
    <Scroll label="Records and machines by build">
      <table class="by-build">
        <thead>
          <tr>
            <th>Build</th>
            <th class="num">Records</th>
            <th class="num">Machines</th>
            <th>Happened on</th>
          </tr>
        </thead>
        <tbody>
          {builds.map(row => (
            <tr>
              <th scope="row" class="mono">
                <a href={crashesPath({ ...filter, build: row.build })}>{row.build}</a>
              </th>
              <BarCell n={row.records} of={records} href={backtracesPath(id, narrowed(filter, row.build))} />
              <BarCell n={row.machines} of={machines} />
              <td class="rest">
                <Machines id={id} filter={filter} row={row} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
};

const narrowed = (filter: CrashFilter, build: string, machine_id?: string): CrashFilter => ({
  ...filter,
  sort: undefined,
  build,
  machine_id,
});

const Machines: FC<{ id: number; filter: CrashFilter; row: GuiltyBuild }> = ({ id, filter, row }) =>
  row.top.length === 0 ? (
    <span class="soft">records purged</span>
  ) : (
    <details class="more">
      <summary>
        {row.top.length < row.machines
          ? `The ${row.top.length} machines with most records`
          : counted(row.machines, 'machine')}
        <span class="unseen"> on build {row.build}</span>
      </summary>
      <ul class="machine-list">
        {row.top.map(({ machineId, records }) => (
          <li>
            <a class="mono" href={backtracesPath(id, narrowed(filter, row.build, machineId))}>
              {machineId}
            </a>{' '}
            {count(records)} ×
          </li>
        ))}
      </ul>
    </details>
  );

import type { FC } from 'hono/jsx';
import type { GuiltyBuild } from '../../src/crashes/guilty-builds.ts';
import type { Shares } from '../../src/stats/queries.ts';
import type { DrawnBuild } from '../builds/build-name.tsx';
import { BuildName } from '../builds/build-name.tsx';
import { BarCell, share } from '../parts/bars.tsx';
import { MACHINE_UNKNOWN } from '../parts/machine.tsx';
import { count, counted, Scroll } from '../parts/parts.tsx';
import { RATE_HEAD, RateCell } from '../rates/rate.tsx';
import { backtracesPath, type CrashFilter, crashesPath, guiltyPath } from './links.ts';

interface BuildsTableProps {
  /** Of the guilty. */
  id: number;
  filter: CrashFilter;
  builds: Shares<GuiltyBuild>;
  drawn: DrawnBuild[];
}

export const BuildsTable: FC<BuildsTableProps> = props => {
  const { filter } = props;
  const { rows, names, records: total } = props.builds;
  const records = Math.max(...rows.map(build => build.records));
  const machines = Math.max(...rows.map(build => build.machines));
  const anySystem = filter.os === undefined;
  const others = { names: names - rows.length, records: total - rows.reduce((sum, row) => sum + row.records, 0) };
  return (
    <Scroll label="Records and machines by build">
      <table class="by-build">
        <thead>
          <tr>
            {anySystem && <th>OS</th>}
            <th>Build</th>
            <th class="num">Records</th>
            <th class="num">Share</th>
            <th class="num">Machines</th>
            <th class="num" aria-sort={filter.sort === 'rate' ? 'descending' : undefined}>
              <a href={guiltyPath(props.id, { ...filter, sort: filter.sort === 'rate' ? undefined : 'rate' })}>
                {RATE_HEAD}
              </a>
            </th>
            <th>Happened on</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <BuildRow {...props} row={row} of={{ records, machines, total }} />
          ))}
          {others.names > 0 && (
            <tr class="others">
              {anySystem && <td></td>}
              <th scope="row">{counted(others.names, 'other')}</th>
              <td class="num">{count(others.records)}</td>
              <td class="num soft">{share(others.records, total)}</td>
              <td></td>
              <td></td>
              <td></td>
            </tr>
          )}
        </tbody>
      </table>
    </Scroll>
  );
};

interface BuildRowProps extends BuildsTableProps {
  row: GuiltyBuild;
  /** What fills a bar, and what shares are of. */
  of: { records: number; machines: number; total: number };
}

const BuildRow: FC<BuildRowProps> = ({ id, filter, drawn, row, of }) => {
  const { os, build, records, machines } = row;
  // A system without a name can't be asked for.
  const narrowed = os ? { ...filter, sort: undefined, os, build } : undefined;
  const name = <BuildName os={os} build={build} drawn={drawn} />;
  return (
    <tr>
      {filter.os === undefined && <td class="nowrap">{os || <span class="soft">not named</span>}</td>}
      <th scope="row">{narrowed ? <a href={crashesPath({ ...filter, os, build })}>{name}</a> : name}</th>
      <BarCell n={records} of={of.records} href={narrowed && backtracesPath(id, narrowed)} />
      <td class="num soft">{share(records, of.total)}</td>
      <BarCell n={machines} of={of.machines} />
      <RateCell rate={row.rate} />
      <td class="rest">
        <Machines row={row} hrefOf={machine_id => narrowed && backtracesPath(id, { ...narrowed, machine_id })} />
      </td>
    </tr>
  );
};

const Machines: FC<{ row: GuiltyBuild; hrefOf: (machineId: string) => string | undefined }> = ({ row, hrefOf }) =>
  row.top.length === 0 ? (
    <span class="soft">{row.machines === 0 ? MACHINE_UNKNOWN : 'records purged'}</span>
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
            <MachineId id={machineId} href={hrefOf(machineId)} /> {count(records)} ×
          </li>
        ))}
      </ul>
    </details>
  );

const MachineId: FC<{ id: string; href: string | undefined }> = ({ id, href }) =>
  href ? (
    <a class="mono" href={href}>
      {id}
    </a>
  ) : (
    <span class="mono">{id}</span>
  );

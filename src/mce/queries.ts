import type { Fragment, Queryable } from '../db/connect.ts';
import { exposureByBuild } from '../rates/queries.ts';
import { type Rate, rateOf, rateRow } from '../rates/rate.ts';
import type { Signal } from '../rates/signals.ts';
import { anyClassificationLike } from '../records/classification-sql.ts';
import { firstDay, inWindow, type Scope, slotOf } from '../time/scope.ts';

/** Records of some classifications by ISO week (its Monday) or day and classification. */
export function classesOverTime(sql: Queryable, scope: Scope, patterns: string[]) {
  return sql<{ slot: string; name: string; n: number }[]>`
    select ${slotOf(sql, scope)} as slot, c.classification as name, sum(c.records)::bigint as n
      from (select c.day, c.classification, sum(c.records) as records
              from build_counts c
             where c.classification = ${anyClassificationLike(sql, patterns)} and ${inWindow(sql, scope)}
             group by 1, 2) c
     group by 1, 2 order by 2, 1`;
}

interface BuildOfClasses {
  build: string;
  records: number;
  /** Of each signal of the view, in their order. */
  rates: Rate[];
}

/** Records by build of one OS. */
export interface SystemBuilds {
  os: string;
  /** The newest, newest first. */
  newest: BuildOfClasses[];
  /** How many builds there are in the window, and their records. */
  builds: number;
  records: number;
}

/** Records of some classifications by build, and rates of signals, of each OS the newest builds; the OS with most records first. */
export async function classesByBuild(
  sql: Queryable,
  scope: Scope,
  patterns: string[],
  signals: Signal[],
  { perSystem, sort }: { perSystem: number; sort: BuildsSort | undefined },
): Promise<SystemBuilds[]> {
  const systems = await sql<
    (Omit<SystemBuilds, 'newest'> & {
      newest: (Omit<BuildOfClasses, 'rates'> & { machineDays: number; affected: Partial<Record<Signal, number>> })[];
    })[]
  >`
    with exposed as (
      ${exposureByBuild(sql, scope)}
    ), affected as (
      select system_name, build, jsonb_object_agg(signal, affected) as affected
        from (select c.system_name, c.build, c.signal, sum(c.exposed)::bigint as affected
                from affected_counts c where ${inWindow(sql, scope)} and c.signal = any(${signals}::text[]) group by 1, 2, 3) signals
       group by 1, 2
    )
    select system_name as os, builds, system_records as records,
           jsonb_agg(jsonb_build_object('build', build, 'records', records, 'machineDays', coalesce(machine_days, 0),
                                        'affected', coalesce(affected, '{}')) order by rank) as newest
      from (select c.system_name, c.build, sum(c.records)::bigint as records,
                   (sum(sum(c.records)) over system)::bigint as system_records, count(*) over system as builds,
                   row_number() over (system order by version_order(c.build) desc, c.build) as rank
              from build_counts c
             where c.classification = ${anyClassificationLike(sql, patterns)} and ${inWindow(sql, scope)}
             group by 1, 2
            window system as (partition by c.system_name)) builds
      left join exposed using (system_name, build)
      left join affected using (system_name, build)
     where rank <= ${perSystem}
     group by 1, 2, 3 order by records desc, os`;
  return systems.map(({ newest, ...system }) => {
    const rows = newest.map(({ affected, machineDays, ...row }) => ({
      ...row,
      rates: signals.map(signal => rateOf(affected[signal] ?? 0, machineDays)),
    }));
    return { ...system, newest: sort === 'rate' ? rows.toSorted((a, b) => lowest(b) - lowest(a)) : rows };
  });
}

export const BUILDS_SORTS = ['version', 'rate'] as const;
export type BuildsSort = (typeof BUILDS_SORTS)[number];

/** Of few machine-days any rate may be chance. */
const lowest = ({ rates }: BuildOfClasses): number => rates[0]?.perThousand?.low ?? -1;

export interface CheckedMachine {
  machineId: string;
  records: number;
  /** Most records first. */
  builds: { os: string; build: string; records: number }[];
}

/**
 * The machine ids with most machine checks in a window. What a machine sent in it is at most its total, so those with the largest
 * totals are added up first; only where others might still have more, as in a small part of the fleet, all are.
 */
export async function topMachines(sql: Queryable, scope: Scope, limit: number): Promise<CheckedMachine[]> {
  const most = limit * 4 + 40;
  const [[bound], found] = await Promise.all([
    sql<{ candidates: number; lowest: number }[]>`
      select count(*) as candidates, min(records) as lowest from (${largestTotals(sql, scope, most)}) largest`,
    topAmong(sql, scope, limit, largestTotals(sql, scope, most)),
  ]);
  const isExact = bound!.candidates < most || (found.length === limit && found.at(-1)!.records > bound!.lowest);
  if (isExact) return found;
  // Of bigint the sum were numeric: half as slow again.
  const all = sql`
    select c.machine_id from machine_check_machines c where ${inWindow(sql, scope)} group by 1
     order by sum(c.records::integer) desc, 1 limit ${limit}`;
  return topAmong(sql, scope, limit, all);
}

function largestTotals(sql: Queryable, scope: Scope, limit: number) {
  return sql`
    select machine_id, records from machine_check_totals
     where last_day >= ${firstDay(sql, scope)} order by records desc, machine_id limit ${limit}`;
}

/** Of some machine ids. */
function topAmong(sql: Queryable, scope: Scope, limit: number, candidates: Fragment) {
  return sql<CheckedMachine[]>`
    with candidate as materialized (
      select machine_id from (${candidates}) candidates
    ), counted as materialized (
      select c.machine_id, c.system_name, c.build, sum(c.records)::bigint as records
        from candidate join machine_check_machines c using (machine_id) where ${inWindow(sql, scope)} group by 1, 2, 3
    ), top as (
      select machine_id, sum(records)::bigint as records from counted group by 1 order by 2 desc, 1 limit ${limit}
    )
    select top.machine_id as "machineId", top.records,
           jsonb_agg(jsonb_build_object('os', system_name, 'build', build, 'records', counted.records)
                     order by counted.records desc, version_order(build) desc) as builds
      from top join counted using (machine_id)
     group by 1, 2 order by 2 desc, 1`;
}

export interface CpuModels {
  /** Those with most records; '' where records don't tell it. */
  rows: { cpu_model: string; records: number }[];
  /** How many there are in the window, and their records. */
  models: number;
  records: number;
}

/** Machine checks by CPU model. */
export async function byCpuModel(sql: Queryable, scope: Scope, limit: number): Promise<CpuModels> {
  const rows = await sql<{ cpu_model: string; records: number; models: number; total: number }[]>`
    select c.cpu_model, sum(c.records)::bigint as records, count(*) over () as models, (sum(sum(c.records)) over ())::bigint as total
      from machine_check_cpus c where ${inWindow(sql, scope)}
     group by 1 order by 2 desc, 1 limit ${limit}`;
  return {
    rows: rows.map(({ cpu_model, records }) => ({ cpu_model, records })),
    models: rows[0]?.models ?? 0,
    records: rows[0]?.total ?? 0,
  };
}

/** A table of the API. */
export const buildsTable = (systems: SystemBuilds[], signals: Signal[]) => ({
  columns: [
    'os',
    'build',
    'records',
    'machine_days',
    ...signals.flatMap(signal => ['affected', ...ESTIMATES].map(column => `${signal}_${column}`)),
  ],
  rows: systems.flatMap(({ os, newest }) =>
    newest.map(({ build, records, rates }) => ({
      os,
      build,
      records,
      machine_days: rates[0]!.machineDays,
      ...Object.assign({}, ...rates.map((rate, n) => columnsOf(rate, signals[n]!))),
    })),
  ),
});

const ESTIMATES = ['per_1000', 'per_1000_low', 'per_1000_high'];

function columnsOf(rate: Rate, signal: Signal) {
  const { machine_days: _, ...columns } = rateRow(rate);
  return Object.fromEntries(Object.entries(columns).map(([column, value]) => [`${signal}_${column}`, value]));
}

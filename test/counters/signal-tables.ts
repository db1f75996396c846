import type { Sql } from '../../src/db/connect.ts';

/** Who is exposed and affected, as it is counted. */
export async function readSignals(sql: Sql) {
  return {
    exposure: [
      ...(await sql`select day::text, system_name, build, fleet_id, external, machines from exposure_counts order by 1, 2, 3, 4, 5`),
    ],
    affected: [
      ...(await sql`
        select day::text, system_name, build, signal, fleet_id, external, machines, exposed
          from affected_counts where machines <> 0 order by 1, 2, 3, 4, 5, 6`),
    ],
    exposedMachines: [
      ...(await sql`
        select machine_id, system_name, build, fleet_id, external, (period - 2 + bit)::text as day
          from exposed_machines cross join generate_series(0, 2) bit
         where days & (1 << bit) <> 0 order by 1, 2, 3, 4, 5, 6`),
    ],
    affectedMachines: [
      ...(await sql`
        select machine_id, system_name, build, signal, fleet_id, external, first_day::text, exposed
          from affected_machines order by 1, 2, 3, 4, 5, 6, 7`),
    ],
  };
}

/** The same, counted over the records. */
export async function countSignals(sql: Sql) {
  const reported = sql`
    reported as (
      select machine_id, system_name, build, fleet_id, external, (received_at at time zone 'UTC')::date as day,
             ((received_at at time zone 'UTC')::date - date '1970-01-01') / 3 as period,
             case when classification ~ '/heartbeat/ping$' then 'heartbeat'
                  when classification ~ '/mce/SRAO$' then 'uncorrected'
                  when classification ~ '/mce/corrected$' then 'corrected'
                  when classification ~ '/mce/thermal$' then 'thermal'
                  when classification ~ '/kernel/' then 'kernel'
                  when classification ~ '/crash/clr$' then 'crash'
                  when classification ~ '/update$' and payload ~ 'result=[1-9]' then 'update' end as signal
        from records where machine_id <> ''
    ), beats as (select * from reported where signal = 'heartbeat')`;
  const affected = sql`
    ${reported}, affected as (
      select machine_id, system_name, build, signal, fleet_id, external, period, min(day) as first_day,
             exists (select from beats b where b.machine_id = r.machine_id and b.period = r.period) as exposed
        from reported r where signal <> 'heartbeat' group by 1, 2, 3, 4, 5, 6, 7
    )`;
  return {
    exposure: [
      ...(await sql`
        with ${reported}
        select day::text, system_name, case grouping(build) when 0 then build else '*' end as build, fleet_id, external,
               count(distinct machine_id) as machines
          from beats group by grouping sets ((1, 2, build, 4, 5), (1, 2, 4, 5)) order by 1, 2, 3, 4, 5`),
    ],
    affected: [
      ...(await sql`
        with ${affected}
        select first_day::text as day, system_name, build, signal, fleet_id, external, count(*) as machines,
               count(*) filter (where exposed) as exposed
          from affected group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6`),
    ],
    exposedMachines: [
      ...(await sql`
        with ${reported}
        select distinct machine_id, system_name, build, fleet_id, external, day::text from beats order by 1, 2, 3, 4, 5, 6`),
    ],
    affectedMachines: [
      ...(await sql`
        with ${affected}
        select machine_id, system_name, build, signal, fleet_id, external, first_day::text, exposed
          from affected order by 1, 2, 3, 4, 5, 6, 7`),
    ],
  };
}

import type { Queryable } from '../db/connect.ts';

export interface SeenBuild {
  systemName: string;
  build: string;
  /** The last UTC day on which the machine reported from the build. */
  lastDay: string;
}

/** The builds that a machine id reported from, latest first. */
export function buildsOfMachine(sql: Queryable, machineId: string, limit: number) {
  return sql<SeenBuild[]>`
    select system_name as "systemName", build, max(last_day)::text as "lastDay"
      from machines_last_seen
     where machine_id = ${machineId} and build <> '*'
     group by 1, 2 order by max(last_day) desc, version_order(build) desc limit ${limit}`;
}

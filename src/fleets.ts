import type { Tid } from './config/tid.ts';
import type { Sql } from './db/connect.ts';

export interface Fleet {
  /** `fleets.id` in the database. */
  id: number;
  tid: string;
  name: string;
}

/** Writes the configured TIDs and their names into the database and returns them by TID, in lower case. */
export async function registerFleets(sql: Sql, tids: readonly Tid[]): Promise<Map<string, Fleet>> {
  const ids = tids.map(tid => tid.id);
  const names = tids.map(tid => tid.name);
  await sql`
    update fleets set name = given.name
      from unnest(${ids}::text[], ${names}::text[]) as given (tid, name)
     where fleets.tid = given.tid::uuid and fleets.name <> given.name`;
  // Looking first keeps the smallint identity from being used up by a conflict at every start.
  await sql`
    insert into fleets (tid, name)
    select given.tid::uuid, given.name
      from unnest(${ids}::text[], ${names}::text[]) as given (tid, name)
     where not exists (select from fleets where fleets.tid = given.tid::uuid)
        on conflict (tid) do nothing`;
  const fleets = await sql<Fleet[]>`select id, tid::text, name from fleets where tid = any(${ids}::text[]::uuid[])`;
  return new Map(fleets.map(fleet => [fleet.tid, fleet]));
}

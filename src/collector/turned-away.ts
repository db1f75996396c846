import type { Queryable } from '../db/connect.ts';

/** A request turned away by the limits of its TID, and the reason. Nothing of it is kept. */
export type TurnedAway =
  /** It comes from a network where its TID may not be used. */
  | { kind: 'forbidden'; message: string }
  /** Too many came: the machine should send it again. */
  | { kind: 'postponed'; message: string; retryAfterSeconds: number }
  /** Too many came, and an admin chose to drop the excess of this TID: the machine is told that all is well. */
  | { kind: 'dropped'; message: string };

/** What was turned away from a fleet. */
export interface Excess {
  fleet: string;
  kind: TurnedAway['kind'];
  requests: number;
  lastAt: Date;
}

/** An excess of one UTC day, to add to what was counted before. */
export interface ExcessOfDay extends Omit<Excess, 'fleet'> {
  day: string;
  fleetId: number;
}

const KEPT_DAYS = 400;

export async function addTurnedAway(sql: Queryable, excesses: ExcessOfDay[]) {
  const rows = excesses.map(({ day, fleetId, kind, requests, lastAt }) => ({
    day,
    fleet_id: fleetId,
    kind,
    requests,
    last_at: lastAt.toISOString(),
  }));
  await sql`
    insert into turned_away as known (day, fleet_id, kind, requests, last_at)
    select day, fleet_id, kind, requests, last_at
      from json_to_recordset(${JSON.stringify(rows)}::text::json) as row (
             day date, fleet_id smallint, kind text, requests bigint, last_at timestamptz)
     order by day, fleet_id, kind
        on conflict (day, fleet_id, kind) do update
       set requests = known.requests + excluded.requests, last_at = greatest(known.last_at, excluded.last_at)`;
}

export async function forgetTurnedAway(sql: Queryable) {
  await sql`delete from turned_away where day < (now() at time zone 'UTC')::date - ${KEPT_DAYS}::int`;
}

/** Over this many UTC days, including today. */
export function turnedAwayWithin(sql: Queryable, days: number) {
  return sql<Excess[]>`
    select f.name as fleet, kind, sum(requests)::bigint as requests, max(last_at) as "lastAt"
      from turned_away t join fleets f on f.id = t.fleet_id
     where day > (now() at time zone 'UTC')::date - ${days}::int
     group by f.name, kind order by f.name, kind`;
}

import type { Queryable, Sql } from '../db/connect.ts';

/** A refused request to keep. */
export interface RefusedRequest {
  /** From requestFingerprint. */
  fingerprint: string;
  fleetId: number;
  /** As the request claimed; it was not valid. */
  machineId: string | null;
  address: string | null;
  field: string | null;
  reason: string;
  headers: [string, string][];
  /** The body after the privacy rules. */
  body: Uint8Array;
  scrubbedBy: string[];
  /** The body is a µReport of ABRT. */
  isUreport: boolean;
}

export interface KeptRequest {
  /** First refused at least a minute ago: a client with a spool sent it again, not a person. */
  returned: boolean;
  /** It was evicted for others; only its fingerprint is left. */
  evicted: boolean;
}

interface QuarantineLimits {
  max_records: number;
  max_bytes: number;
}

/** A repeat after this time comes from a client: clients return after 120 s. */
const RETURN_SECONDS = 60;
/** Clients give up on a record after this time. */
const REMEMBER_HOURS = 20;
/** The part of the quarantine that one machine or address may use, about. */
const SHARE = 0.1;

/** An eviction reads all entries. It frees this part in addition, so that most batches find room without one. */
const MARGIN = 0.01;

/** Keeps refused requests, or counts another attempt of known ones. */
type KeepRefused = (requests: RefusedRequest[]) => Promise<KeptRequest[]>;

/**
 * Evicts the oldest entries in time to stay within the limits, by how much this process added since the last eviction.
 */
export function quarantineKeeper(sql: Sql, limits: QuarantineLimits): KeepRefused {
  const margin = marginOf(limits);
  let brought = { records: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
  return async requests => {
    const records = brought.records + requests.length;
    const bytes = brought.bytes + requests.reduce((sum, request) => sum + bytesOf(request), 0);
    const full = records > margin.records || bytes > margin.bytes;
    const kept = await keepRefused(sql, requests, full ? limits : undefined);
    brought = full ? { records: 0, bytes: 0 } : { records, bytes };
    return kept;
  };
}

/** Keeps all of them in one transaction. Without limits nothing is evicted. */
export async function keepRefused(
  sql: Sql,
  requests: RefusedRequest[],
  limits: QuarantineLimits | undefined,
): Promise<KeptRequest[]> {
  const distinct = new Map(requests.map(request => [request.fingerprint, request]));
  const kept = await sql.begin(async tx => {
    const rows = await keep(tx, [...distinct.values()]);
    if (limits) await evict(tx, requests, limits);
    return rows;
  });
  const byFingerprint = new Map(kept.map(row => [row.fingerprint, row]));
  return requests.map(({ fingerprint }) => byFingerprint.get(fingerprint)!);
}

/** An upper bound for the size that the database counts. */
function bytesOf({ headers, body }: RefusedRequest): number {
  return body.byteLength + 2 * JSON.stringify(headers).length;
}

function keep(tx: Queryable, requests: RefusedRequest[]) {
  const rows = requests.map(
    ({ fingerprint, fleetId, machineId, address, field, reason, headers, body, scrubbedBy, isUreport }) => ({
      fingerprint,
      fleet_id: fleetId,
      machine_id: machineId,
      address,
      field,
      reason,
      headers,
      body: Buffer.from(body).toString('base64'),
      scrubbed: scrubbedBy.join(',') || null,
      is_ureport: isUreport,
    }),
  );
  return tx<(KeptRequest & { fingerprint: string })[]>`
    insert into quarantine as known (fingerprint, first_at, last_at, attempts, fleet_id, machine_id, address, field, reason, bytes, headers, body, scrubbed, is_ureport)
    select fingerprint::uuid, now(), now(), 1, fleet_id, machine_id, address, field, reason,
           octet_length(decode(body, 'base64')) + octet_length(headers::text), headers, decode(body, 'base64'), string_to_array(scrubbed, ','), is_ureport
      from json_to_recordset(${JSON.stringify(rows)}::text::json) as row (
             fingerprint text, fleet_id smallint, machine_id text, address text, field text, reason text, headers jsonb, body text, scrubbed text, is_ureport boolean)
     order by fingerprint
        on conflict (fingerprint) do update
       set last_at = now(), attempts = known.attempts + 1, field = excluded.field, reason = excluded.reason
    returning replace(fingerprint::text, '-', '') as fingerprint,
              first_at <= now() - make_interval(secs => ${RETURN_SECONDS}) as returned,
              evicted_at is not null as evicted`;
}

async function evict(tx: Queryable, requests: RefusedRequest[], { max_records, max_bytes }: QuarantineLimits) {
  const machines = requests.map(request => request.machineId).filter(machine => machine !== null);
  const addresses = requests.map(request => request.address).filter(address => address !== null);
  const { records, bytes } = marginOf({ max_records, max_bytes });
  await tx`
    with kept as materialized (
      select id, machine_id, address, bytes from quarantine where evicted_at is null
    ), ranked as (
      select id, row_number() over newest as rank, sum(bytes) over newest as held,
             ${max_records - records}::numeric as most, ${max_bytes - bytes}::numeric as most_bytes
        from kept window newest as (order by id desc)
      union all
      select id, row_number() over newest, sum(bytes) over newest, ${max_records * SHARE}, ${max_bytes * SHARE}
        from kept where machine_id = any(${machines}::text[]) window newest as (partition by machine_id order by id desc)
      union all
      select id, row_number() over newest, sum(bytes) over newest, ${max_records * SHARE}, ${max_bytes * SHARE}
        from kept where address = any(${addresses}::text[]) window newest as (partition by address order by id desc)
    )
    update quarantine
       set evicted_at = now(), headers = null, body = null
     where id in (select id from ranked where rank > 1 and (rank > most or held > most_bytes))`;
}

function marginOf({ max_records, max_bytes }: QuarantineLimits) {
  return { records: Math.floor(max_records * MARGIN), bytes: Math.floor(max_bytes * MARGIN) };
}

/** Forgets evicted requests whose clients have given up (`byDate`), and the oldest above ten times the limit. */
export async function forgetEvicted(sql: Sql, limits: QuarantineLimits, byDate: boolean) {
  await sql`
    delete from quarantine
     where ${byDate} and evicted_at < now() - make_interval(hours => ${REMEMBER_HOURS})
        or id in (select id from quarantine where evicted_at is not null order by evicted_at desc offset ${limits.max_records * 10})`;
}

interface QuarantineSummary {
  entries: number;
  bytes: number;
}

export async function summariseQuarantine(sql: Sql): Promise<QuarantineSummary> {
  const [row] = await sql<QuarantineSummary[]>`
    select count(*) as entries, coalesce(sum(bytes), 0)::bigint as bytes from quarantine where evicted_at is null`;
  return row!;
}

export interface QuarantineReasonRow {
  reason: string;
  count: number;
  newest: Date;
}

export function listReasons(sql: Sql) {
  return sql<QuarantineReasonRow[]>`
    select reason, count(*) as count, max(last_at) as newest
      from quarantine where evicted_at is null
     group by reason order by count(*) desc, reason limit 200`;
}

/** An entry as lists show it. */
export interface QuarantineListRow {
  id: number;
  firstAt: Date;
  lastAt: Date;
  attempts: number;
  reason: string;
  /** The field that the reason is about. */
  field: string | null;
  machineId: string | null;
  address: string | null;
  fleet: string;
  bytes: number;
}

export interface QuarantineFullRow extends QuarantineListRow {
  tid: string;
  headers: [string, string][];
  body: Uint8Array;
  scrubbedBy: string[];
  isUreport: boolean;
}

/** Lists the newest first; `beforeId` continues after that entry. */
export function listQuarantine(
  sql: Sql,
  { reason, beforeId, limit }: { reason?: string | undefined; beforeId?: number | undefined; limit: number },
) {
  return sql<QuarantineListRow[]>`
    select ${entryColumns(sql)}
      from quarantine q join fleets f on f.id = q.fleet_id
     where evicted_at is null
       and ${reason === undefined ? sql`true` : sql`reason = ${reason}`}
       and ${beforeId === undefined ? sql`true` : sql`q.id < ${beforeId}`}
     order by q.id desc limit ${limit}`;
}

/** Roughly the number of bytes read at once. */
const MOST_BYTES = 32 * 1024 ** 2;

/**
 * Reads entries for replaying, oldest first: one entry, or those with a reason after an id. Returns as many as `limit`
 * and MOST_BYTES allow, but at least one.
 */
export function readQuarantine(
  sql: Sql,
  {
    id,
    reason,
    afterId = 0,
    limit = 1,
  }: { id?: number | undefined; reason?: string | undefined; afterId?: number; limit?: number },
) {
  return sql<QuarantineFullRow[]>`
    with chosen as materialized (
      select id, bytes from quarantine
       where evicted_at is null and id > ${afterId}
         and ${id === undefined ? sql`true` : sql`id = ${id}`}
         and ${reason === undefined ? sql`true` : sql`reason = ${reason}`}
       order by id limit ${limit}
    ), bounded as (
      select id, sum(bytes) over (order by id rows unbounded preceding) - bytes as bytes_before from chosen
    )
    select ${entryColumns(sql)}, f.tid::text as tid, headers, body, coalesce(scrubbed, '{}') as "scrubbedBy", is_ureport as "isUreport"
      from bounded join quarantine q using (id) join fleets f on f.id = q.fleet_id
     where bytes_before < ${MOST_BYTES}::bigint
     order by q.id`;
}

function entryColumns(sql: Sql) {
  return sql`
    q.id, first_at as "firstAt", last_at as "lastAt", attempts, reason, field, machine_id as "machineId", address, f.name as fleet, bytes`;
}

/** Removes entries for good; returns how many. Their fingerprints stay, so that their clients' spools drain. */
export async function discard(sql: Queryable, selection: { ids: number[] } | { reason: string }): Promise<number> {
  const dropped = await sql`
    update quarantine
       set evicted_at = now(), headers = null, body = null
     where evicted_at is null and ${'ids' in selection ? sql`id = any(${selection.ids}::bigint[])` : sql`reason = ${selection.reason}`}`;
  return dropped.count;
}

/** Removes entries that have become records. */
export async function forget(sql: Sql, ids: number[]) {
  if (ids.length > 0) await sql`delete from quarantine where id = any(${ids}::bigint[])`;
}

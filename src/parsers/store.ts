import type { Queryable } from '../db/connect.ts';
import type { Data } from './parser.ts';

/** A parser's result for a record. */
export interface ParsedRecord {
  id: number;
  machineId: string;
  receivedAt: Date;
  parser: string;
  data: { [key: string]: Data };
}

/** Stores the results of parsers in key order, replacing earlier ones; skips records that are gone. */
export async function storeParsed(tx: Queryable, parsed: ParsedRecord[]): Promise<void> {
  if (parsed.length === 0) return;
  await tx`
    insert into parsed as known (machine_id, received_at, id, parser, data)
    select came.machine_id, came.received_at, came.id, came.parser, came.data
      from (${rowsOf(tx, parsed)}) came
      join records r on r.machine_id = came.machine_id and r.received_at = came.received_at and r.id = came.id
     order by 1, 2, 3
        on conflict (machine_id, received_at, id) do update set parser = excluded.parser, data = excluded.data
     where known.parser is distinct from excluded.parser or known.data is distinct from excluded.data`;
}

/** Stores results for new records, in `parsed` or in the table of one day. */
export function insertParsed(tx: Queryable, parsed: ParsedRecord[], table = 'parsed') {
  return tx`insert into ${tx(table)} (machine_id, received_at, id, parser, data) ${rowsOf(tx, parsed)}`;
}

function rowsOf(tx: Queryable, parsed: ParsedRecord[]) {
  const rows = parsed.map(({ machineId, receivedAt, id, parser, data }) => [machineId, receivedAt, id, parser, data]);
  return tx`
    select e->>0 as machine_id, (e->>1)::timestamptz as received_at, (e->>2)::bigint as id, e->>3 as parser, e->4 as data
      from jsonb_array_elements(${JSON.stringify(rows)}::text::jsonb) as record (e)`;
}

/** Removes earlier results of records. */
export async function removeParsed(tx: Queryable, records: { id: number; machineId: string; receivedAt: Date }[]) {
  if (records.length === 0) return;
  await tx`
    delete from parsed p
     using unnest(
             ${records.map(record => record.id)}::bigint[],
             ${records.map(record => record.machineId)}::text[],
             ${records.map(record => record.receivedAt.toISOString())}::text[]
           ) as gone (id, machine_id, received_at)
     where p.machine_id = gone.machine_id and p.received_at = gone.received_at::timestamptz and p.id = gone.id`;
}

interface ShownParsed {
  parser: string;
  data: { [key: string]: Data };
}

/** The results for some records, by id. */
export async function readParsed(
  sql: Queryable,
  records: { id: number; machineId: string; receivedAt: Date }[],
): Promise<Map<number, ShownParsed>> {
  if (records.length === 0) return new Map();
  const times = records.map(record => record.receivedAt.getTime());
  const rows = await sql<(ShownParsed & { id: number })[]>`
    select p.id, p.parser, p.data
      from unnest(
             ${records.map(record => record.id)}::bigint[],
             ${records.map(record => record.machineId)}::text[],
             ${records.map(record => record.receivedAt.toISOString())}::text[]
           ) as wanted (id, machine_id, received_at)
      join parsed p on p.machine_id = wanted.machine_id and p.received_at = wanted.received_at::timestamptz and p.id = wanted.id
     where p.received_at between ${new Date(Math.min(...times))} and ${new Date(Math.max(...times))}`;
  return new Map(rows.map(({ id, ...shown }) => [id, shown]));
}

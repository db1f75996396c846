import type { Socket } from 'node:net';
import type { Sql } from '../../src/db/connect.ts';
import { connectTo, headerBlock, type Place } from './wire.ts';

export interface Load {
  /** The record's id by event id, of everything that was answered 201. */
  acknowledged: Map<string, number>;
  /** How often each status was answered. */
  statuses: Record<number, number>;
  /** Connections that closed without an answer to their last request. */
  broken: number;
  /** Lets what is under way finish and closes the connections. */
  stop(): Promise<void>;
}

export interface LoadOptions {
  connections?: number;
  /** Opens a connection again when it was closed. */
  reconnect?: boolean;
}

const CONNECTIONS = 64;
const RECONNECT_MS = 20;
const FINISH_MS = 12_000;
const PAYLOAD = `${'MESSAGE=a line of a journal that was written by nobody in particular\n'.repeat(14)}`;

/** Posts distinct records of 1 KB as fast as they are answered, each connection one at a time. */
export function startLoad(
  places: Place | Place[],
  { connections = CONNECTIONS, reconnect = false }: LoadOptions = {},
): Load {
  const all = [places].flat();
  const run = crypto.randomUUID().replaceAll('-', '').slice(0, 20);
  const load: Load = { acknowledged: new Map(), statuses: {}, broken: 0, stop };
  const template = headerBlock(PAYLOAD.length, {
    headers: { classification: 'org.clearlinux/journal/error', severity: '2', machine_id: run, event_id: 'EVENT' },
  }).split('EVENT') as [string, string];
  const sockets = new Set<Socket>();
  let sent = 0;
  let stopping = false;

  function open(place: Place) {
    const socket = connectTo(place);
    sockets.add(socket);
    let event = '';
    let received = '';

    function send() {
      event = run + (sent++).toString(16).padStart(12, '0');
      received = '';
      socket.write(`${template[0]}${event}${template[1]}${PAYLOAD}`);
    }

    socket.setEncoding('latin1');
    socket.on(typeof place === 'object' ? 'secureConnect' : 'connect', send);
    socket.on('error', () => {});
    socket.on('data', (text: unknown) => {
      received += text;
      const status = statusOfWhole(received);
      if (status === undefined) return;
      load.statuses[status] = (load.statuses[status] ?? 0) + 1;
      if (status === 201) load.acknowledged.set(event, Number(/"id":(\d+)/.exec(received)?.[1]));
      event = '';
      if (stopping || /^connection: close/im.test(received)) socket.end();
      else if (status === 201) send();
      else setTimeout(send, RECONNECT_MS);
    });
    socket.on('close', () => {
      sockets.delete(socket);
      if (event !== '') load.broken++;
      if (reconnect && !stopping) setTimeout(open, RECONNECT_MS, place);
    });
  }

  async function stop() {
    stopping = true;
    const deadline = Date.now() + FINISH_MS;
    while (sockets.size > 0 && Date.now() < deadline) await Bun.sleep(5);
    for (const socket of sockets) socket.destroy();
  }

  for (let n = 0; n < connections; n++) open(all[n % all.length]!);
  return load;
}

/** The status of an answer once all of it is there. */
function statusOfWhole(text: string): number | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
  return text.length >= end + 4 + length ? Number(text.slice(9, 12)) : undefined;
}

/** Of what was answered 201, what is not in the database under its id. */
export async function missingFrom(sql: Sql, acknowledged: Map<string, number>): Promise<string[]> {
  const missing = await sql<{ event: string }[]>`
    select event
      from unnest(${[...acknowledged.keys()]}::text[], ${[...acknowledged.values()]}::bigint[]) as answered (event, id)
      left join records r using (id)
     where r.event_id is distinct from event`;
  return missing.map(row => row.event);
}

const COUNTED_WITHIN_MS = 60_000;

/** What is stored, by the rows and by every table of counters once all is counted; and how many of the rows are the same record again. */
export async function tally(sql: Sql) {
  const uncounted = async () => (await sql`select from uncounted`).length > 0;
  for (const started = Date.now(); (await uncounted()) && Date.now() - started < COUNTED_WITHIN_MS; )
    await Bun.sleep(50);
  const [row] = await sql<{ records: number; repeated: number; byBuild: number; byHour: number; byKernel: number }[]>`
    select count(*) as records,
           count(*) - count(distinct (machine_id, event_id)) as repeated,
           (select sum(records) from build_counts)::bigint as "byBuild",
           (select sum(records) from hour_counts)::bigint as "byHour",
           (select sum(records) from kernel_counts)::bigint as "byKernel"
      from records`;
  return row!;
}

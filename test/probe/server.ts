import { afterAll } from 'bun:test';
import { parseRecord, type SentRecord } from './machine.ts';

export interface Arrival {
  status: number;
  record: SentRecord;
  body: string;
  headers: Headers;
}

/** A server that keeps what comes, and answers as it is told. */
export interface RecordingServer {
  url: string;
  arrivals: Arrival[];
  /** Those answered 201. */
  kept(): SentRecord[];
  /** How many connections the arrivals came by. */
  connections(): number;
  /** The status of an answer, or that and its message. */
  answer: (record: SentRecord, nth: number) => number | [number, string] | Promise<number>;
}

export function recordingServer(): RecordingServer {
  const ports = new Set<number>();
  const server: RecordingServer = {
    url: '',
    arrivals: [],
    kept: () => server.arrivals.filter(({ status }) => status === 201).map(({ record }) => record),
    connections: () => ports.size,
    answer: () => 201,
  };
  const listening = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request, { requestIP }) {
      const body = await request.text();
      const record = parseRecord(body);
      ports.add(requestIP.call(listening, request)?.port ?? 0);
      const given = await server.answer(record, server.arrivals.length);
      const [status, message] = typeof given === 'number' ? [given, ''] : given;
      server.arrivals.push({ status, record, body, headers: request.headers });
      return Response.json({ message }, { status });
    },
  });
  afterAll(() => listening.stop(true));
  server.url = `http://127.0.0.1:${listening.port}`;
  return server;
}

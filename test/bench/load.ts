/**
 * The load generator, a process of its own: `bun load.ts PORT SECONDS CONNECTIONS [https]`. Each connection posts one record after the
 * other, with 16 headers and a payload of 1 KB; machines and builds are those of the sample fleet. Prints one JSON object.
 */
import { sampleFleet } from '../../src/demo/fleet.ts';

const [port, seconds, connections] = process.argv.slice(2).map(Number) as [number, number, number];

const PAYLOAD_BYTES = 1024;
const HEADS = 20_000;
/** During the warm-up records count only for `statuses` and `ids`. */
const WARM_UP_MS = 1_000;

export interface LoadResult {
  answered: number;
  statuses: Record<string, number>;
  seconds: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  max: number;
  ids: number[];
}

const heads = requestHeads();
const payload = Buffer.alloc(
  PAYLOAD_BYTES,
  'Process: /usr/bin/app\nPID: 4711\nSignal: 11\n#0 work() - [libapp.so.1]\n',
).toString();
const latencies: number[] = [];
const ids: number[] = [];
const statuses: Record<string, number> = {};
let sent = Math.floor(Math.random() * 1e9);
let stopping = false;

const closed = Array.from({ length: connections }, () => openConnection());
await Bun.sleep(WARM_UP_MS);
const before = ids.length;
latencies.length = 0;
const started = performance.now();
await Bun.sleep(seconds * 1000);
stopping = true;
const elapsed = (performance.now() - started) / 1000;
const answered = ids.length - before;
await Promise.race([Promise.all(closed), Bun.sleep(5000)]);

latencies.sort((a, b) => a - b);
const result: LoadResult = {
  answered,
  statuses,
  seconds: elapsed,
  p50: latencies[Math.floor(latencies.length * 0.5)] ?? 0,
  p99: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
  max: latencies.at(-1) ?? 0,
  ids,
};
process.stdout.write(JSON.stringify(result), () => process.exit(0));

async function openConnection(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let begun: Buffer | undefined;
  let sentAt = 0;
  await Bun.connect({
    hostname: '127.0.0.1',
    port,
    ...(process.argv[5] === 'https' && { tls: { rejectUnauthorized: false } }),
    socket: {
      open: send,
      data(socket, data) {
        const received = begun ? Buffer.concat([begun, data]) : data;
        const bodyAt = received.indexOf('\r\n\r\n') + 4;
        const head = received.toString('latin1', 0, Math.max(bodyAt, 0));
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
        if (bodyAt < 4 || received.length < bodyAt + length) {
          begun = Buffer.from(received);
          return;
        }
        begun = undefined;
        latencies.push(performance.now() - sentAt);
        const status = head.slice(9, 12);
        statuses[status] = (statuses[status] ?? 0) + 1;
        // {"id":12345,…
        if (status === '201') ids.push(Number.parseInt(received.toString('latin1', bodyAt + 6, bodyAt + 24), 10));
        if (stopping) socket.end();
        else send(socket);
      },
      close: () => resolve(),
      error: () => resolve(),
    },
  });
  return promise;

  function send(socket: { write(data: string): number }) {
    sentAt = performance.now();
    sent++;
    socket.write(`${heads[sent % HEADS]}event_id: ${sent.toString(16).padStart(32, '0')}\r\n\r\n${payload}`);
  }
}

/** A request without its event id and body. */
function requestHeads(): string[] {
  const [day] = sampleFleet({
    records: HEADS,
    machines: HEADS,
    days: 1,
    seed: 1,
    until: new Date('2026-01-01'),
    fleets: 1,
  });
  const heads: string[] = [];
  for (const { report } of day!.records()) {
    const headers = {
      Host: `127.0.0.1:${port}`,
      Accept: '*/*',
      'X-Telemetry-TID': '6907c830-eed9-4ce9-81ae-76daf8d88f0f',
      'Content-Type': 'application/text',
      'Content-Length': PAYLOAD_BYTES,
      record_format_version: 4,
      classification: report.classification,
      severity: report.severity,
      machine_id: report.machineId,
      creation_timestamp: report.capturedAt,
      arch: report.arch,
      host_type: report.hostType,
      build: report.build,
      kernel_version: report.kernelVersion,
      payload_format_version: 1,
      system_name: report.systemName || 'linux',
      board_name: report.boardName ?? 'board',
      cpu_model: report.cpuModel ?? 'cpu',
      bios_version: report.biosVersion ?? '1',
    };
    heads.push(
      `POST /v2/collector HTTP/1.1\r\n${Object.entries(headers)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join('')}`,
    );
  }
  return heads;
}

import { join } from 'node:path';
import { connect } from '../../src/db/connect.ts';
import { EXECUTABLE, type Program, startProgram, temporaryState } from './program.ts';
import { benchUpkeep } from './upkeep.ts';

const PORT = 18_770;
const SIZES = (process.env.BENCH_RECORDS ?? '100000,1000000').split(',').map(Number);
const MACHINES = process.env.BENCH_MACHINES ?? '20000';
const DAYS = process.env.BENCH_DAYS ?? '35';
const REPEATS = 9;

/** Writes fleets of several sizes, lets their crashes be analysed while records come in, and times pages, searches, exports, and the upkeep of the largest. */
export async function benchPages() {
  for (const records of SIZES) {
    const state = temporaryState();
    try {
      const demo = Bun.spawnSync(
        [EXECUTABLE, 'demo', '--records', String(records), '--machines', MACHINES, '--days', DAYS],
        {
          env: { PATH: process.env.PATH ?? '', TELEMETRICSD_STATE_DIR: state.dir },
        },
      );
      console.log(`${records} records: ${demo.stderr.toString().trim().split('\n').at(-1)}`);
      const program = await startProgram(state.dir, PORT);
      console.log(`  analysis          ${await analysisRate(state.dir)}`);
      for (const path of [...(await crashPages(program)), ...VIEWS])
        console.log(`  ${(await medianMs(program, path)).toFixed(1).padStart(7)} ms  ${path}`);
      await benchSearches(program);
      await benchExports(program);
      if (records === Math.max(...SIZES)) await benchUpkeep(program);
      await program.stop();
    } finally {
      state.remove();
    }
  }
}

/** Crash records a second, from start to an empty queue, while one connection posts records. */
async function analysisRate(stateDir: string): Promise<string> {
  const sql = connect({ target: { socketDir: join(stateDir, 'run') }, connections: 1, name: 'bench' });
  const load = Bun.spawn([process.execPath, join(import.meta.dir, 'load.ts'), String(PORT), '600', '1'], {
    stdout: 'ignore',
  });
  const crashes = async () => (await sql<{ n: number }[]>`select count(*) as n from crashes`)[0]!.n;
  const waiting = async () =>
    (await sql<{ n: number }[]>`select count(*) as n from (select from work_queue where attempts = 0 limit 1000) w`)[0]!
      .n;
  const [first, started] = [await crashes(), performance.now()];
  while ((await waiting()) >= 1000) await Bun.sleep(100);
  const seconds = (performance.now() - started) / 1000;
  const analysed = (await crashes()) - first;
  load.kill();
  while ((await waiting()) > 0) await Bun.sleep(100);
  await sql.end();
  return `${Math.round(analysed / seconds)} crash records/s over ${seconds.toFixed(1)} s, with ingestion going on`;
}

async function crashPages(program: Program): Promise<string[]> {
  const response = await fetch(`http://127.0.0.1:${program.port}/api/guilties?limit=1`);
  const { guilties } = (await response.json()) as { guilties: { id: number }[] };
  const guilty = `/telemetryui/crashes/guilty_details/${guilties[0]!.id}`;
  return [
    '/telemetryui/crashes',
    '/telemetryui/crashes?days=35&sort=machines',
    guilty,
    `${guilty}?days=35`,
    `${guilty}/backtraces?days=35`,
  ];
}

const VIEWS = [
  '',
  '/records',
  '/quarantine',
  '/builds',
  '/builds?days=364',
  '/stats',
  '/stats?days=364',
  '/mce',
  '/thermal',
  '/updates',
  '/updates?days=364',
  '/population',
  '/population?days=364',
].map(path => `/telemetryui${path}`);

const dayAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

/** The usual filters of the search, each by itself and each pair of two. */
async function benchSearches(program: Program) {
  const [record] = await recordsOf(program, 'classification=org.clearlinux/mce/corrected&limit=1');
  const filters: [name: string, query: string][] = [
    ['os', 'os=debian'],
    ['build', 'build=43200'],
    ['classification', 'classification=org.clearlinux/kernel/panic'],
    ['classification/*', 'classification=org.clearlinux/kernel/*'],
    ['frequent classification', 'classification=org.clearlinux/heartbeat/ping'],
    ['severity', 'severity=4'],
    ['machine', `machine_id=${record!.machine_id}`],
    ['dates', `from=${dayAgo(5)}&to=${dayAgo(3)}`],
  ];
  const times: { name: string; ms: number }[] = [];
  for (const [n, [name, query]] of filters.entries()) {
    times.push({ name, ms: await medianMs(program, `/telemetryui/records?${query}`) });
    for (const [other, another] of filters.slice(n + 1)) {
      if (query.split('=')[0] === another.split('=')[0]) continue;
      const both = await medianMs(program, `/telemetryui/records?${query}&${another}`);
      times.push({ name: `${name} + ${other}`, ms: both });
    }
  }
  times.sort((a, b) => b.ms - a.ms);
  const slowest = times.slice(0, 3).map(({ name, ms }) => `${name} ${ms.toFixed(1)}`);
  console.log(
    `  ${times[times.length >> 1]!.ms.toFixed(1).padStart(7)} ms  a search, median of ${times.length} filters and pairs; slowest: ${slowest.join(', ')}`,
  );
}

async function recordsOf({ port }: Program, query: string): Promise<{ machine_id: string }[]> {
  const response = await fetch(`http://127.0.0.1:${port}/api/records?${query}`);
  return ((await response.json()) as { records: { machine_id: string }[] }).records;
}

async function benchExports(program: Program) {
  for (const format of ['csv', 'ndjson']) {
    const [before, started] = [program.memory().now, performance.now()];
    const response = await fetch(
      `http://127.0.0.1:${program.port}/telemetryui/records/export/records-bench.${format}?download=1`,
    );
    let bytes = 0;
    for await (const chunk of response.body!) bytes += chunk.byteLength;
    const seconds = (performance.now() - started) / 1000;
    console.log(
      `  ${seconds.toFixed(1).padStart(7)} s   all records as ${format}, ${(bytes / 1e6).toFixed(0)} MB; memory ${before} MB before, ${program.memory().now} MB after, ${program.memory().most} MB at most so far`,
    );
  }
}

async function medianMs({ port }: Program, path: string) {
  const times: number[] = [];
  for (let i = 0; i < REPEATS; i++) {
    const started = performance.now();
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    await response.arrayBuffer();
    if (response.status !== 200) throw new Error(`${path}: ${response.status}`);
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[REPEATS >> 1]!;
}

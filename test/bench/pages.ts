import { join } from 'node:path';
import { connect } from '../../src/db/connect.ts';
import { EXECUTABLE, type Program, startProgram, temporaryState } from './program.ts';

const PORT = 18_770;
const SIZES = (process.env.BENCH_RECORDS ?? '100000,1000000').split(',').map(Number);
const MACHINES = process.env.BENCH_MACHINES ?? '20000';
const DAYS = Number(process.env.BENCH_DAYS ?? 35);
const REPEATS = 9;

/** Writes fleets of several sizes, lets their crashes be analysed while records come in, and times pages, searches and exports. */
export async function benchPages() {
  for (const records of SIZES) {
    await withFleet({ records, days: DAYS }, async program => {
      console.log(`  analysis          ${await analysisRate(program.stateDir)}`);
      for (const path of [...(await crashPages(program)).values(), ...VIEWS])
        console.log(`  ${(await medianMs(program, path)).toFixed(1).padStart(7)} ms  ${path}`);
      await benchSearches(program);
      await benchExports(program);
    });
  }
}

async function withFleet<T>(fleet: { records: number; days: number }, bench: (program: Program) => Promise<T>) {
  const { records, days } = fleet;
  const state = temporaryState();
  try {
    const demo = Bun.spawnSync(
      [EXECUTABLE, 'demo', '--records', String(records), '--machines', MACHINES, '--days', String(days)],
      {
        env: { PATH: process.env.PATH ?? '', TELEMETRICSD_STATE_DIR: state.dir },
      },
    );
    console.log(`${records} records, ${days} days: ${demo.stderr.toString().trim().split('\n').at(-1)}`);
    const program = await startProgram(state.dir, PORT);
    const result = await bench(program);
    await program.stop();
    return result;
  } finally {
    state.remove();
  }
}

/** How much longer crash pages take where there are more records, as many a day, that go back longer. */
export async function benchGrowth() {
  const [fewer, more] = [Math.min(...SIZES), Math.max(...SIZES)];
  const days = Math.round((DAYS * more) / fewer);
  const before = await crashPageTimes(fewer, DAYS);
  console.log(`crash pages with ${more} records of ${days} days, and as a ratio to ${fewer} of the last ${DAYS}:`);
  for (const [page, ms] of await crashPageTimes(more, days))
    console.log(`  ${ms.toFixed(1).padStart(7)} ms  ${page}: ratio ${(ms / before.get(page)!).toFixed(2)}`);
}

async function crashPageTimes(records: number, days: number): Promise<Map<string, number>> {
  return withFleet({ records, days }, async program => {
    await analysisRate(program.stateDir);
    const times = new Map<string, number>();
    for (const [name, path] of await crashPages(program)) times.set(name, await medianMs(program, path));
    return times;
  });
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

async function crashPages({ port }: Program): Promise<Map<string, string>> {
  const response = await fetch(`http://127.0.0.1:${port}/api/guilties?limit=1`);
  const { guilties, builds } = (await response.json()) as { guilties: { id: number }[]; builds: string[] };
  const guilty = `/telemetryui/crashes/guilty_details/${guilties[0]!.id}`;
  return new Map([
    ['top crashes', '/telemetryui/crashes'],
    ['top crashes, 35 days by machines', '/telemetryui/crashes?days=35&sort=machines'],
    ['top crashes of a build, 35 days', `/telemetryui/crashes/${builds[0]}?days=35`],
    ['guilty', guilty],
    ['guilty, 35 days', `${guilty}?days=35`],
    ['backtraces, 35 days', `${guilty}/backtraces?days=35`],
    ['backtraces of a build, 35 days', `${guilty}/backtraces?days=35&build=${builds[0]}`],
  ]);
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

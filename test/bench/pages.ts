import { join } from 'node:path';
import { connect } from '../../src/db/connect.ts';
import { EXECUTABLE, type Program, startProgram, temporaryState } from './program.ts';
import { benchUpkeep } from './upkeep.ts';
import { benchWeights } from './weight.ts';

const PORT = 18_770;
const SIZES = (process.env.BENCH_RECORDS ?? '100000,1000000').split(',').map(Number);
const MACHINES = process.env.BENCH_MACHINES ?? '20000';
const DAYS = Number(process.env.BENCH_DAYS ?? 35);
const REPEATS = 9;

/** Median milliseconds by request. */
type Timings = Map<string, number>;

/**
 * Writes fleets of several sizes and lets their crashes be analysed while records arrive. Then times pages, searches,
 * exports and the upkeep of the largest, and compares each size with the first.
 */
export async function benchPages() {
  let first: { records: number; timings: Timings } | undefined;
  for (const records of SIZES) {
    const timings = await withFleet({ records, days: DAYS }, async program => {
      const times = await benchFleet(program);
      if (records === Math.max(...SIZES)) await benchUpkeep(program);
      return times;
    });
    if (first) compare(timings, records, first);
    else first = { records, timings };
  }
}

async function benchFleet(program: Program): Promise<Timings> {
  console.log(`  analysis          ${await analysisRate(program.stateDir)}`);
  const paths = [...(await recordPaths(program)), ...(await crashPages(program)).values(), ...VIEWS];
  const timings: Timings = new Map();
  for (const path of paths) {
    const ms = await medianMs(program, path);
    timings.set(path, ms);
    console.log(`  ${ms.toFixed(1).padStart(7)} ms  ${path}`);
  }
  for (const [name, ms] of await benchSearches(program)) timings.set(name, ms);
  await benchWeights(program, paths);
  await benchExports(program);
  return timings;
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

const WORST = 5;

function compare(timings: Timings, records: number, first: { records: number; timings: Timings }) {
  const ratios = [...timings]
    .map(([name, ms]) => ({ name, ms, before: first.timings.get(name) }))
    .filter(({ before }) => before !== undefined)
    .map(({ name, ms, before }) => ({ name, ms, before: before!, ratio: ms / before! }))
    .sort((a, b) => b.ratio - a.ratio);
  const slowest = [...timings].reduce((a, b) => (b[1] > a[1] ? b : a));
  console.log(`${records} records against ${first.records}, of ${ratios.length} pages and searches:`);
  console.log(
    `  median ratio ${ratios[ratios.length >> 1]!.ratio.toFixed(2)}; slowest ${slowest[1].toFixed(1)} ms, ${slowest[0]}`,
  );
  for (const { name, ms, before, ratio } of ratios.slice(0, WORST))
    console.log(`  ratio ${ratio.toFixed(2).padStart(5)}  ${before.toFixed(1)} → ${ms.toFixed(1)} ms  ${name}`);
}

/** How much slower crash pages get with more records, at the same number a day over a longer time. */
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
    await analyzed(program.stateDir);
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
  const waiting = async (kind: string) =>
    (
      await sql<
        { n: number }[]
      >`select count(*) as n from (select from work_queue where kind = ${kind} and attempts = 0 limit 1000) w`
    )[0]!.n;
  const [first, started] = [await crashes(), performance.now()];
  while ((await waiting('crash')) >= 1000) await Bun.sleep(100);
  const seconds = (performance.now() - started) / 1000;
  const analysed = (await crashes()) - first;
  load.kill();
  for (const kind of ['crash', 'parse']) while ((await waiting(kind)) > 0) await Bun.sleep(100);
  await sql.end();
  return `${Math.round(analysed / seconds)} crash records/s over ${seconds.toFixed(1)} s, with ingestion going on`;
}

/** Does what autovacuum does within minutes: until then the planner takes newly filled tables for empty ones. */
async function analyzed(stateDir: string) {
  const sql = connect({ target: { socketDir: join(stateDir, 'run') }, connections: 1, name: 'bench' });
  await sql`analyze`;
  await sql.end();
}

async function crashPages({ port }: Program): Promise<Map<string, string>> {
  const response = await fetch(`http://127.0.0.1:${port}/api/guilties?limit=1`);
  const { guilties, builds } = (await response.json()) as { guilties: { id: number }[]; builds: { build: string }[] };
  const [{ build }] = builds as [{ build: string }];
  const guilty = `/telemetryui/crashes/guilty_details/${guilties[0]!.id}`;
  return new Map([
    ['top crashes', '/telemetryui/crashes'],
    ['top crashes, 35 days by machines', '/telemetryui/crashes?days=35&sort=machines'],
    ['top crashes of a build, 35 days', `/telemetryui/crashes/${build}?days=35`],
    ['guilty', guilty],
    ['guilty, 35 days', `${guilty}?days=35`],
    ['backtraces, 35 days', `${guilty}/backtraces?days=35`],
    ['backtraces of a build, 35 days', `${guilty}/backtraces?days=35&build=${build}`],
  ]);
}

/** A record, and all records of a machine. Their ids differ from fleet to fleet. */
async function recordPaths(program: Program): Promise<string[]> {
  const [record] = await recordsOf(program, 'classification=org.clearlinux/crash/*&limit=1');
  return [`/telemetryui/records/record_details/${record!.id}`, `/telemetryui/machines/${record!.machine_id}`];
}

const VIEWS = [
  '',
  '/records',
  '/records?per_page=1000',
  '/quarantine',
  '/connect',
  '/status',
  '/builds',
  '/builds?days=364',
  '/stats',
  '/stats?days=364',
  '/mce',
  '/mce?days=28',
  '/thermal',
  '/updates',
  '/updates?days=364',
  '/population',
  '/population?days=364',
].map(path => `/telemetryui${path}`);

const dayAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

/** The usual search filters, alone and in pairs: times the page, and the count if a separate request follows for it. */
async function benchSearches(program: Program): Promise<Timings> {
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
  const pairs = filters.flatMap(([name, query], n) =>
    filters
      .slice(n + 1)
      .filter(([, other]) => query.split('=')[0] !== other.split('=')[0])
      .map(([other, another]): [string, string] => [`${name} + ${other}`, `${query}&${another}`]),
  );
  const [pages, counts]: Timings[] = [new Map(), new Map()];
  for (const [name, query] of [...filters, ...pairs]) {
    pages!.set(`search ${name}`, await medianMs(program, `/telemetryui/records?${query}`));
    counts!.set(`count ${name}`, await medianMs(program, `/telemetryui/records/count?${query}`));
  }
  tellSlowest('a search', pages!);
  tellSlowest('its count', counts!);
  return new Map([...pages!, ...counts!]);
}

function tellSlowest(what: string, timings: Timings) {
  const times = [...timings].sort(([, a], [, b]) => b - a);
  const slowest = times.slice(0, 3).map(([name, ms]) => `${name} ${ms.toFixed(1)}`);
  const median = times[times.length >> 1]![1].toFixed(1).padStart(7);
  console.log(`  ${median} ms  ${what}, median of ${times.length} filters and pairs; slowest: ${slowest.join(', ')}`);
}

async function recordsOf({ port }: Program, query: string): Promise<{ id: number; machine_id: string }[]> {
  const response = await fetch(`http://127.0.0.1:${port}/api/records?${query}`);
  return ((await response.json()) as { records: { id: number; machine_id: string }[] }).records;
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

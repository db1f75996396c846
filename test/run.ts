import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeScratch } from './scratch.ts';

/**
 * `npm test`: all tests in a few processes, since most of them wait for others most of the time. With `system` as the first
 * argument, `npm run test:system`: those of test/system alone, one after another. Other arguments go to `bun test`. However it ends,
 * nothing that was started stays.
 */
const PROCESSES = 4;
/** A PostgreSQL that takes its share of a large machine needs half a second longer for each start; none of its data here is large. */
const LESS_MEMORY = ['prlimit', `--rss=${2 ** 30}`];
/** How long each file took once, so that the slow ones begin first; `npm test -- --update-timings` writes it anew. */
const TIMINGS = 'test/timings.json';
const OUTFILE = '--reporter-outfile=';
const DAY_MS = 86_400_000;
/** What a run takes at most. */
const RUN_MS = 8 * 60_000;
const SLOWEST = 10;

const system = process.argv[2] === 'system';
const given = process.argv.slice(system ? 3 : 2);
const scratch = makeScratch();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Not once: npm passes on what the terminal has sent already.
  process.on(signal, () => {
    // The tests themselves are among what runs there.
    scratch.remove();
    process.exit(1);
  });
}
const wanted = given.find(argument => argument.startsWith(OUTFILE));
const report = wanted?.slice(OUTFILE.length) ?? join(scratch.path, 'report.xml');
const reporting = wanted ? [] : ['--reporter=junit', `${OUTFILE}${report}`];
try {
  if (!system) await midnightPassed();
  const which = system
    ? ['test/system']
    : [
        'test',
        '--path-ignore-patterns',
        'test/system/**',
        `--parallel=${PROCESSES}`,
        '--no-isolate',
        `--timings=${TIMINGS}`,
      ];
  process.exitCode = await run([...which, ...reporting, ...given]);
  if (existsSync(report)) tellSlowest();
} finally {
  scratch.remove();
}

function run(options: string[]): Promise<number> {
  return Bun.spawn([...LESS_MEMORY, process.execPath, 'test', '--timeout', '180000', ...options], {
    stdin: 'ignore',
    stdout: 'inherit',
    stderr: 'inherit',
    env: { ...process.env, TMPDIR: scratch.path, BUN_OPTIONS: '--max-http-header-size=32768' },
  }).exited;
}

/** Tests count records by UTC day, and one that began the day before would find some of them in another. */
async function midnightPassed() {
  const left = DAY_MS - (Date.now() % DAY_MS);
  if (left > RUN_MS) return;
  console.error(`The tests begin after midnight UTC, in ${Math.ceil(left / 60_000)} min, which they would run into.`);
  await Bun.sleep(left + 1_000);
}

function tellSlowest() {
  const cases = readFileSync(report, 'utf8').matchAll(/<testcase name="([^"]*)".*? time="([\d.]+)" file="([^"]*)"/g);
  const slowest = [...cases]
    .map(([, name, time, file]) => ({ name, seconds: Number(time), file }))
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, SLOWEST);
  console.log('The slowest tests, in seconds:');
  for (const { name, seconds, file } of slowest) console.log(`${seconds.toFixed(1).padStart(6)}  ${file}: ${name}`);
}

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeScratch } from './scratch.ts';

/**
 * `npm test` runs all tests in a few processes, since most of them wait most of the time. With `system` as the first
 * argument (`npm run test:system`) it runs only those of test/system, one after another. Other arguments go to `bun
 * test`. However it ends, nothing that it started keeps running.
 */
const PROCESSES = 3;
/**
 * PostgreSQL takes half a second longer to start with the buffers of a large machine, and none of the data here is
 * large.
 */
const LESS_MEMORY = ['prlimit', `--rss=${2 ** 30}`];
/** How long each file took, so that slow files start first; `npm test -- --update-timings` rewrites it. */
const TIMINGS = 'test/timings.json';
const OUTFILE = '--reporter-outfile=';
const SLOWEST = 10;

const system = process.argv[2] === 'system';
const given = process.argv.slice(system ? 3 : 2);
const scratch = makeScratch();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Passes a signal on only to processes that did not get it: npm passes on what the terminal has sent to all.
  process.on(signal, () => {
    // The tests themselves run there too.
    scratch.remove();
    process.exit(1);
  });
}
const wanted = given.find(argument => argument.startsWith(OUTFILE));
const report = wanted?.slice(OUTFILE.length) ?? join(scratch.path, 'report.xml');
const reporting = wanted ? [] : ['--reporter=junit', `${OUTFILE}${report}`];
try {
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
  const options = [...which, ...reporting, ...given];
  const day = today();
  let code = await run(options);
  // Tests count records by UTC day: at midnight some would find theirs in another day.
  if (code !== 0 && today() !== day) {
    console.error('The tests run once more, since a UTC day ended while they ran.');
    code = await run(options);
  }
  process.exitCode = code;
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

function today() {
  return new Date().toISOString().slice(0, 10);
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

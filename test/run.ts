import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeScratch } from './scratch.ts';

/**
 * `npm test`: all tests in a few processes, since most of them wait for others most of the time. With `system` as the first
 * argument, `npm run test:system`: those of test/system alone, one after another. Other arguments go to `bun test`. However it ends,
 * nothing that was started stays.
 */
const PROCESSES = 3;
/** A PostgreSQL that takes its share of a large machine needs half a second longer for each start; none of its data here is large. */
const LESS_MEMORY = ['prlimit', `--rss=${2 ** 30}`];
/** How long each file took once, so that the slow ones begin first; `npm test -- --update-timings` writes it anew. */
const TIMINGS = 'test/timings.json';
const OUTFILE = '--reporter-outfile=';
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
  // Tests count records by UTC day: one that midnight came upon found some of them in another.
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

import { makeScratch } from './scratch.ts';

/**
 * `npm test`: two runs of `bun test` beside each other, since the tests of the executable mostly wait. Arguments go to both;
 * the second one's output follows the first one's, and its report lies beside the other as NAME-executable.xml. With `system` as
 * the first argument, `npm run test:system`: those of test/system alone. However it ends, nothing that was started stays.
 */
const OUTFILE = '--reporter-outfile=';
const DAY_MS = 86_400_000;
/** What a run takes at most. */
const RUN_MS = 8 * 60_000;

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
try {
  process.exitCode = await (system ? run(['test/system'], 'inherit').exited : runBoth());
} finally {
  scratch.remove();
}

async function runBoth(): Promise<number> {
  await midnightPassed();
  const inProcess = run(['test', '--path-ignore-patterns', 'test/{system,executable}/**'], 'inherit');
  const executable = run(['test/executable'], 'pipe', '-executable');
  const output = new Response(executable.stdout as ReadableStream).text();
  const errors = new Response(executable.stderr as ReadableStream).text();
  const codes = [await inProcess.exited, await executable.exited];
  process.stdout.write(await output);
  process.stderr.write(await errors);
  return Math.max(...codes);
}

/** Tests count records by UTC day, and one that began the day before would find some of them in another. */
async function midnightPassed() {
  const left = DAY_MS - (Date.now() % DAY_MS);
  if (left > RUN_MS) return;
  console.error(`The tests begin after midnight UTC, in ${Math.ceil(left / 60_000)} min, which they would run into.`);
  await Bun.sleep(left + 1_000);
}

function run(which: string[], output: 'inherit' | 'pipe', reportSuffix = '') {
  const options = given.map(argument =>
    argument.startsWith(OUTFILE) ? argument.replace(/(\.\w+)?$/, `${reportSuffix}$1`) : argument,
  );
  return Bun.spawn(
    [process.execPath, '--max-http-header-size=32768', 'test', '--timeout', '180000', ...which, ...options],
    { stdin: 'ignore', stdout: output, stderr: output, env: { ...process.env, TMPDIR: scratch.path } },
  );
}

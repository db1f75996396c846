import { statSync } from 'node:fs';
import { join } from 'node:path';
import { load } from './ingestion.ts';
import { EXECUTABLE, type Program } from './program.ts';

const SECONDS = Number(process.env.BENCH_SECONDS ?? 15);
/** First retention removes all but the gravest records of past days one by one, then those by whole days. */
const BY_ROWS = { TELEMETRICSD_RETENTION_DAYS: '0', TELEMETRICSD_RETENTION_SEVERITY: '1=1,2=1,3=1' };
const BY_DAYS = { TELEMETRICSD_RETENTION_DAYS: '1' };

/** How long a backup and purges take, and how much slower ingestion is meanwhile than just before and after. */
export async function benchUpkeep(program: Program) {
  const file = join(program.stateDir, 'bench.backup');
  let quiet = await rate(program);

  async function during(what: string, args: string[], settings: Record<string, string> = {}) {
    const started = performance.now();
    const env = { PATH: process.env.PATH ?? '', TELEMETRICSD_STATE_DIR: program.stateDir, ...settings };
    const child = Bun.spawn([EXECUTABLE, ...args], { env, stdout: 'ignore', stderr: 'ignore' });
    const ended = child.exited.then(code => ({ code, seconds: (performance.now() - started) / 1000 }));
    const meanwhile = await rate(program);
    const { code, seconds } = await ended;
    const after = await rate(program);
    const share = meanwhile / ((quiet + after) / 2);
    quiet = after;
    console.log(
      `  ${seconds.toFixed(1).padStart(7)} s   ${what}${code === 0 ? '' : `, which FAILED (${code})`}; ingestion meanwhile ${share.toFixed(2)} of before and after`,
    );
  }

  await during('backup', ['backup', file]);
  console.log(`            ${(statSync(file).size / 1e6).toFixed(0)} MB`);
  await during('purge of records one by one', ['purge'], BY_ROWS);
  await during('purge of whole days', ['purge'], BY_DAYS);
}

/** Records a second. */
async function rate({ port }: Program): Promise<number> {
  const { answered, seconds } = await load(SECONDS, port);
  return answered / seconds;
}

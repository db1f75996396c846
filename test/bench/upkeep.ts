import { statSync } from 'node:fs';
import { join } from 'node:path';
import { load } from './ingestion.ts';
import { EXECUTABLE, type Program } from './program.ts';

const SECONDS = Number(process.env.BENCH_SECONDS ?? 15);
/** All but the gravest records of past days go, one by one; then these, by the day. */
const BY_ROWS = { TELEMETRICSD_RETENTION_DAYS: '0', TELEMETRICSD_RETENTION_SEVERITY: '1=1,2=1,3=1' };
const BY_DAYS = { TELEMETRICSD_RETENTION_DAYS: '1' };

/** What ingestion loses while a backup is written and while records are purged, against before and after; and how long that takes. */
export async function benchUpkeep(program: Program) {
  const before = await rate(program);
  const file = join(program.stateDir, 'bench.backup');
  const backup = start(program, ['backup', file]);
  const [, duringBackup] = await Promise.all([backup.ended, rate(program)]);
  const between = await rate(program);
  const purge = start(program, ['purge'], BY_ROWS);
  const duringPurge = await rate(program);
  purge.stop();
  const rows = await purge.ended;
  const after = await rate(program);
  const days = start(program, ['purge'], BY_DAYS);
  const duringDrop = await rate(program);
  const dropped = await days.ended;
  const lost = (during: number, quiet: number) =>
    `ingestion ${(during / quiet).toFixed(2)} of that of before and after`;
  const mb = statSync(file).size / 1e6;
  console.log(
    `  ${seconds(await backup.ended)} s   backup, ${mb.toFixed(0)} MB; ${lost(duringBackup, (before + between) / 2)}`,
  );
  console.log(
    `  ${seconds(rows)} s   purge by rows, ${rows.done ? 'whole' : 'then stopped'}; ${lost(duringPurge, (between + after) / 2)}`,
  );
  console.log(`  ${seconds(dropped)} s   purge of whole days; ${lost(duringDrop, after)}`);
}

/** Records a second. */
async function rate({ port }: Program): Promise<number> {
  const { answered, seconds } = await load(SECONDS, port);
  return answered / seconds;
}

function start({ stateDir }: Program, args: string[], settings: Record<string, string> = {}) {
  const started = performance.now();
  const env = { PATH: process.env.PATH ?? '', TELEMETRICSD_STATE_DIR: stateDir, ...settings };
  const child = Bun.spawn([EXECUTABLE, ...args], { env, stdout: 'ignore', stderr: 'ignore' });
  const ended = child.exited.then(code => ({ done: code === 0, ms: performance.now() - started }));
  return { ended, stop: () => child.kill() };
}

function seconds({ ms }: { ms: number }) {
  return (ms / 1000).toFixed(1).padStart(7);
}

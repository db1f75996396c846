import { join } from 'node:path';
import { connect } from '../../src/db/connect.ts';
import { EXECUTABLE, type Program, startProgram, temporaryState } from './program.ts';

const PORT = 18_770;
const SIZES = (process.env.BENCH_RECORDS ?? '100000,1000000').split(',').map(Number);
const MACHINES = 20_000;
const REPEATS = 9;

/** Writes fleets of several sizes, lets their crashes be analysed while records come in, and times the crash pages on the server. */
export async function benchCrashes() {
  for (const records of SIZES) {
    const state = temporaryState();
    try {
      const demo = Bun.spawnSync([EXECUTABLE, 'demo', '--records', String(records), '--machines', String(MACHINES)], {
        env: { PATH: process.env.PATH ?? '', TELEMETRICSD_STATE_DIR: state.dir },
      });
      console.log(`${records} records: ${demo.stderr.toString().trim().split('\n').at(-1)}`);
      const program = await startProgram(state.dir, PORT);
      console.log(`  analysis          ${await analysisRate(state.dir)}`);
      for (const path of await crashPages(program))
        console.log(`  ${(await medianMs(program, path)).toFixed(1).padStart(7)} ms  ${path}`);
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
    '/telemetryui/records',
    '/telemetryui/quarantine',
  ];
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

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { startCrashAnalysis } from '../../src/crashes/analysis.ts';
import { createLog } from '../../src/log.ts';
import { post } from '../app.ts';
import { childrenOf, eventually, isAlive } from '../executable/program.ts';
import { backtrace, type CrashApp, crashApp, crashHeaders, miscounted } from './crash-app.ts';

const threads: Worker[] = [];
const NativeWorker = globalThis.Worker;
const logged: string[] = [];

let crashes: CrashApp;
let analysis: ReturnType<typeof startCrashAnalysis>;
beforeAll(async () => {
  crashes = await crashApp();
  // Nothing outside a process can end one of its threads: the test gets hold of them as they are made.
  globalThis.Worker = class extends NativeWorker {
    constructor(...args: ConstructorParameters<typeof NativeWorker>) {
      super(...args);
      threads.push(this);
    }
  } as typeof NativeWorker;
  const log = createLog('info', 'text', line => logged.push(line));
  analysis = startCrashAnalysis(crashes.database.target, crashes.config, log);
});
afterAll(async () => {
  globalThis.Worker = NativeWorker;
  await analysis.stop();
  await crashes.close();
});

test.each<[string, (thread: Worker) => unknown]>([
  // Its handler of messages expects an object.
  ['dies of an exception', thread => thread.postMessage(null)],
  ['is ended from outside', thread => thread.terminate()],
])(
  'a thread that %s amid a batch is started again; records are taken meanwhile, crashes analysed once',
  async (_, end) => {
    const { app, sql } = crashes;
    const before = childrenOf(process.pid);
    await crashes.crash(['_ZN5first4callEv()']);
    await analysed();
    const demanglers = childrenOf(process.pid).filter(pid => !before.includes(pid));
    expect(demanglers).toHaveLength(1);

    const blocker = await sql.reserve();
    await blocker`begin`;
    await blocker`lock table stacks in share mode`;
    await crashes.crash(['held_up()']);
    analysis.wake();
    await eventually('a batch is held up', async () => (await sql`select from pg_locks where not granted`).count > 0);
    const thread = threads.at(-1)!;
    end(thread);
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const started = performance.now();
        const { status } = await post(app, crashHeaders(), backtrace([`meanwhile_${n}()`]));
        analysis.wake();
        return { status, late: performance.now() - started > 20_000 };
      }),
    );
    expect(answers).toEqual(Array(50).fill({ status: 201, late: false }));
    await eventually('it is started again', () => threads.at(-1) !== thread);
    await blocker`rollback`;
    blocker.release();
    // The claims of the one that died run out by themselves; here they do at once.
    await sql`update work_queue set claimed_until = null`;
    await analysed();

    const names = await sql`select count(*) as crashes, count(distinct c.id) as "distinct" from crashes c`;
    const [{ posted } = {}] = await sql`select count(*) as posted from records`;
    expect([...names]).toEqual([{ crashes: posted, distinct: posted }]);
    expect(await miscounted(sql)).toEqual({});
    expect(logged.join('')).toContain('starting it again');
    await eventually('it has each connection once', async () => {
      const [left] = await sql`
        select count(*) filter (where application_name like '% crashes') as crashes,
               count(*) filter (where application_name like '% crash results') as results,
               count(*) filter (where application_name like '% parsers') as parsers
          from pg_stat_activity where datname = current_database()`;
      return Bun.deepEquals(left, { crashes: 1, results: 1, parsers: 1 });
    });
    await eventually('its demangler has ended', () => !demanglers.some(isAlive));
  },
);

async function analysed() {
  analysis.wake();
  const waiting = () => crashes.sql`select from work_queue where kind = 'crash' limit 1`;
  await eventually('all is analysed', async () => (await waiting()).count === 0);
}

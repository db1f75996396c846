import { afterAll, beforeAll, expect, test } from 'bun:test';
import fc from 'fast-check';
import { createDemangler } from '../../src/crashes/demangle/demangle.ts';
import { post } from '../app.ts';
import { analyseBatch } from '../crashes/analyse-batch.ts';
import { backtrace, crashHeaders } from '../crashes/crash-app.ts';
import { type AccountsApp, type As, accountsApp, routesOf } from './accounts-app.ts';
import { fuzzed, MARK, SESSION, sent } from './fuzzed.ts';

/** A failure tells its seed: FUZZ_SEED=N sends the same requests again, FUZZ_RUNS=N more of them. */
const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);
const RUNS = Number(process.env.FUZZ_RUNS ?? 1500);

/** Planted where nobody but these may see it. */
const FOR_ADMINS = 'only-admins-see-this';
const FOR_READERS = 'only-readers-see-this';
const FOR_ITS_OWNER = 'Only-its-owner-sees-this/1.0';
const BLIND: As[] = ['nobody', 'analysis:write', 'metrics:read'];

let server: AccountsApp;
let routes: string[];
beforeAll(async () => {
  server = await accountsApp();
  routes = routesOf(server.app);
  await plant(server);
});
afterAll(() => server.close());

async function plant({ app, database: { sql } }: AccountsApp) {
  const hostile = { host_type: `${MARK}|"x-fuzz='1|1`, cpu_model: MARK, board_name: `${MARK}|${MARK}` };
  const seen = { machine_id: FOR_READERS, ...hostile };
  await post(app, seen, MARK);
  for (const name of ['main()', `${MARK}::f()`])
    await post(app, crashHeaders(seen), backtrace([name, `g(${MARK}) - [/${MARK}.so]`]));
  await post(app, { ...seen, build: MARK }, MARK);
  const demangler = createDemangler();
  await analyseBatch(sql, demangler);
  await demangler.close();
  await sql`update guilties set comment = ${MARK}`;
  await sql`
    with one as (insert into users (name, role, password) values (${FOR_ADMINS}, 'admin', '$argon2id$') returning id)
    insert into sessions (id, key, user_id, agent) overriding system value
    select ${SESSION}::int, 'key', id, ${FOR_ITS_OWNER} from one`;
  await sql`insert into tokens (name, key, scopes, created_by) values (${FOR_ADMINS + MARK}, 'key', '{}', ${FOR_ADMINS})`;
  await sql`insert into audit (who, via, action, subject) values (${FOR_ADMINS}, 'shell', ${MARK}, ${MARK})`;
  await sql`insert into job_outcomes (job, failed_at, failure) values ('purge', now(), ${FOR_ADMINS + MARK})`;
}

/** What is wrong with an answer, whatever was asked. */
function* faults(as: As, path: string, { status, headers }: Response, text: string) {
  if (status >= 500) yield `it fails with ${status}: ${text.slice(0, 300)}`;
  if (/html|svg|xml/.test(headers.get('content-type') ?? '')) {
    if (/<x-fuzz/i.test(text)) yield 'a tag came through';
    if (/x-fuzz=["']/i.test(text)) yield 'an attribute came through';
    if (/(href|src|action)="?(javascript:|\/\/|\/\\|https?:\/\/x-fuzz)/i.test(text)) yield 'a link leads elsewhere';
  }
  if (headers.has('x-fuzz')) yield 'a header came through';
  const location = headers.get('location');
  if (location && !/^\/telemetryui(?![^/?#])/.test(location)) yield `it leads to ${location}`;
  if (/^\/(telemetryui|api|metrics)/.test(path)) {
    if (!headers.get('content-security-policy')?.includes("default-src 'none'")) yield 'no policy';
    if (headers.get('x-content-type-options') !== 'nosniff') yield 'browsers may guess its type';
    if (headers.get('cache-control') !== 'no-store') yield 'it may be kept';
  }
  if (as !== 'admin' && text.includes(FOR_ADMINS)) yield `${as} sees what is for admins`;
  if (BLIND.includes(as) && text.includes(FOR_READERS)) yield `${as} sees a record`;
  if (text.includes(FOR_ITS_OWNER)) yield `${as} sees a session of someone else`;
  if (/\$argon2|\bat \w+ \(|\.tsx?:\d/.test(text)) yield 'something of the inside came out';
}

test('nothing that is sent makes the server fail, changes what it may not, or shows what is not for whoever sent it', async () => {
  const { sql } = server.database;
  const accounts = () => sql`
    select u.name, role, password, (select count(*) from sessions where user_id = u.id) as sessions
      from users u where name like 'the-%' or name = ${FOR_ADMINS} order by u.id`;
  const before = await accounts();
  await fc.assert(
    fc.asyncProperty(fuzzed, async one => {
      const { method, path, target, asked } = sent(one, routes);
      const answer = await server.ask(one.as, method, target, asked);
      const text = await answer.text();
      expect([...faults(one.as, path, answer, text)].map(fault => `${method} ${target}: ${fault}`)).toEqual([]);
    }),
    { seed: SEED, numRuns: RUNS },
  );
  expect(await accounts()).toEqual(before);
});

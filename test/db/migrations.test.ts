import { afterEach, describe, expect, test } from 'bun:test';
import { migrate, pendingMigrations } from '../../src/db/migrate.ts';
import { MIGRATIONS, migration, readMigrations } from '../../src/db/migrations.ts';
import { quietLog, type TestDatabase, testDatabase } from '../database.ts';

const databases: TestDatabase[] = [];
afterEach(async () => {
  await Promise.all(databases.splice(0).map(database => database.close()));
});

async function start(options?: { migrated: boolean }) {
  const database = await testDatabase(options);
  databases.push(database);
  return { ...database, writer: database.client('migrate') };
}

const history = ({ sql }: TestDatabase) =>
  sql<{ number: number; name: string }[]>`select number, name from schema_migrations order by number`;

const ALL = MIGRATIONS.map(({ number, name }) => ({ number, name }));
const one = migration('0001_one.sql', 'create table one (id int); insert into one values (1);');
const two = migration('0002_two.sql', 'create table two (id int);');

test('they are numbered from 1 without a gap', () => {
  expect(MIGRATIONS.map(({ number }) => number)).toEqual(MIGRATIONS.map((_, index) => index + 1));
});

test('the newest one names the functions that it brings: a change of them comes with a migration', () => {
  const { sql, functions = '' } = MIGRATIONS.at(-1)!;
  expect(functions).not.toBe('');
  const checksum = new Bun.CryptoHasher('sha256').update(functions).digest('hex');
  // Released: write a new file with this first line. Not yet released: mend the line.
  expect(sql.split('\n')[0]).toBe(`-- sql/functions: ${checksum}`);
});

test('an empty database gets all of them, once', async () => {
  const database = await start({ migrated: false });
  expect(await pendingMigrations(database.sql)).toEqual(MIGRATIONS);
  expect(await migrate(database.writer, quietLog)).toEqual(MIGRATIONS);
  expect([...(await history(database))]).toEqual(ALL);
  expect(await pendingMigrations(database.sql)).toEqual([]);
  expect(await migrate(database.writer, quietLog)).toEqual([]);
  expect([...(await history(database))]).toEqual(ALL);
});

test('asking what is pending changes nothing', async () => {
  const { sql } = await start({ migrated: false });
  await pendingMigrations(sql);
  expect([...(await sql`select from pg_tables where schemaname = 'public'`)]).toEqual([]);
});

test('twenty programs may start at once on one database', async () => {
  const database = await start({ migrated: false });
  const clients = Array.from({ length: 20 }, (_, n) => database.client(`program ${n}`));
  const applied = await Promise.all(clients.map(client => migrate(client, quietLog)));
  expect(applied.flat().map(({ number }) => number)).toEqual(MIGRATIONS.map(({ number }) => number));
  expect([...(await history(database))]).toEqual(ALL);
});

test('new ones follow those that were applied before', async () => {
  const database = await start({ migrated: false });
  await migrate(database.writer, quietLog, [one]);
  expect(await pendingMigrations(database.sql, [one, two])).toEqual([two]);
  expect(await migrate(database.writer, quietLog, [one, two])).toEqual([two]);
});

describe('functions', () => {
  const files = (functions: string, ...numbered: string[]) =>
    readMigrations({
      'functions/answer.sql': functions,
      ...Object.fromEntries(numbered.map((sql, index) => [`000${index + 1}_step.sql`, sql])),
    });
  const answer = (n: number) => `create or replace function answer() returns int language sql as 'select ${n}';`;
  const failing = 'create or replace function answer() returns int language nonsense as $$ $$;';
  const answered = async ({ sql }: TestDatabase) => (await sql<{ n: number }[]>`select answer() as n`)[0]!.n;

  test('come with the newest migration, and anew with each later one', async () => {
    const database = await start({ migrated: false });
    expect(await migrate(database.writer, quietLog, files(answer(1), 'select 1;'))).toHaveLength(1);
    expect(await answered(database)).toBe(1);
    expect(await migrate(database.writer, quietLog, files(answer(2), 'select 1;', '-- answer'))).toHaveLength(1);
    expect(await answered(database)).toBe(2);
  });

  test('of the program stand once each, and may be applied again', async () => {
    const created = (sql: string) =>
      [...sql.matchAll(/^create (?:or replace )?function (\w+)/gm)].map(([, name]) => name);
    const { functions = '' } = MIGRATIONS.at(-1)!;
    const names = created(functions);
    expect(names).toEqual([...new Set(names)]);
    expect(MIGRATIONS.flatMap(({ sql }) => created(sql)).filter(name => names.includes(name))).toEqual([]);
    const database = await start();
    const later = { ...migration('9999_later.sql', '-- changes functions alone'), functions };
    expect(await migrate(database.writer, quietLog, [...MIGRATIONS, later])).toEqual([later]);
    await expect(pendingMigrations(database.sql)).rejects.toThrow('newer than this program: it has migration 9999');
  });

  test('are not there before it', async () => {
    const database = await start({ migrated: false });
    await migrate(database.writer, quietLog, files(answer(1), 'select 1;', 'select 2;').slice(0, 1));
    expect((await database.sql`select to_regproc('answer') as answer`)[0]).toEqual({ answer: null });
  });

  test('that fail undo it', async () => {
    const database = await start({ migrated: false });
    const migrations = files(failing, 'create table one (id int);', 'create table two (id int);');
    expect(await migrate(database.writer, quietLog, migrations).catch(error => error)).toMatchObject({
      message: expect.stringContaining('migration 2 (step) failed and was undone: language "nonsense"'),
    });
    expect([...(await history(database))]).toEqual([{ number: 1, name: 'step' }]);
    const [state] = await database.sql`select to_regclass('two') as two`;
    expect(state).toEqual({ two: null });
  });
});

test('a database newer than the program is refused and told what to do', async () => {
  const database = await start({ migrated: false });
  await migrate(database.writer, quietLog, [one, two]);
  await database.sql`update schema_migrations set program = '9.8.7' where number = 2`;
  for (const attempt of [
    () => migrate(database.writer, quietLog, [one]),
    () => pendingMigrations(database.sql, [one]),
  ]) {
    expect(await attempt().catch(error => error)).toMatchObject({
      name: 'OperatorError',
      message: expect.stringMatching(/newer than this program: it has migration 2 \(two\) of telemetricsd 9\.8\.7/),
      remedy: 'Run telemetricsd 9.8.7 or newer, or restore a backup from before that upgrade.',
    });
  }
  expect(await history(database)).toHaveLength(2);
});

test('a file that has changed since it was applied is refused, but not its line endings', async () => {
  const database = await start({ migrated: false });
  await migrate(database.writer, quietLog, [migration('0001_one.sql', 'create table one\n(id int);\n')]);
  const sameLines = migration('0001_one.sql', 'create table one\r\n(id int);\r\n');
  expect(await migrate(database.writer, quietLog, [sameLines])).toEqual([]);
  const changed = [migration('0001_one.sql', 'create table one\n(id bigint);\n'), two];
  expect(await migrate(database.writer, quietLog, changed).catch(error => error)).toMatchObject({
    name: 'OperatorError',
    message:
      'the database was made by another build of telemetricsd: its migration 1 (one) is not the one that this program carries',
    remedy: expect.stringMatching(
      /^Keep the program that made it \(telemetricsd \d.*, or start with an empty database/,
    ),
  });
  expect((await database.sql`select to_regclass('two') as two`)[0]).toEqual({ two: null });
});

test('one that fails half-way is undone as a whole, and the one before it stays', async () => {
  const database = await start({ migrated: false });
  const failing = migration('0002_two.sql', 'create table two (id int); insert into one values (2); select 1 / 0;');
  const three = migration('0003_three.sql', 'create table three (id int);');
  expect(await migrate(database.writer, quietLog, [one, failing, three]).catch(error => error)).toMatchObject({
    name: 'OperatorError',
    message: 'migration 2 (two) failed and was undone: division by zero',
    remedy: expect.stringContaining('as it was after the migration before'),
  });
  expect([...(await history(database))]).toEqual([{ number: 1, name: 'one' }]);
  const [state] = await database.sql`
    select to_regclass('two') as two, to_regclass('three') as three, (select count(*) from one) as rows`;
  expect(state).toEqual({ two: null, three: null, rows: 1 });

  expect(await migrate(database.writer, quietLog, [one, two, three])).toEqual([two, three]);
});

test('a failed one leaves its lock to the next program', async () => {
  const database = await start({ migrated: false });
  await migrate(database.writer, quietLog, [migration('0001_one.sql', 'nonsense')]).catch(() => {});
  expect(await migrate(database.client('next'), quietLog, [one])).toEqual([one]);
});

test.each(['1_one.sql', '0001-one.sql', '0001_one.txt', 'one.sql'])('a file is not called %s', file => {
  expect(() => migration(file, '')).toThrow('is not called NNNN_name.sql');
});

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MIGRATIONS } from '../../src/db/migrations.ts';
import { SEQUENCES, TABLE_NAMES, tableNames, tablesWith } from '../../src/db/tables.ts';
import { type TestDatabase, testDatabase } from '../database.ts';
import { describeSchema } from './catalogue.ts';

const SNAPSHOT = join(import.meta.dir, '../schema.txt');

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

test('the schema is the one of test/schema.txt, where a review sees what a migration does', async () => {
  const schema = await describeSchema(database.sql);
  if (process.env.UPDATE_SNAPSHOTS) writeFileSync(SNAPSHOT, schema);
  // If it was changed on purpose, UPDATE_SNAPSHOTS=1 writes the file anew.
  expect(schema).toBe(readFileSync(SNAPSHOT, 'utf8'));
});

test('every table is declared, and is as it is declared', async () => {
  const tables = await database.sql<{ name: string; partitioned: boolean; columns: string[] }[]>`
    select relname as name, relkind = 'p' as partitioned,
           array(select attname::text from pg_attribute where attrelid = c.oid and attnum > 0) as columns
      from pg_class c
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition and relname <> 'schema_migrations'`;
  expect(TABLE_NAMES.toSorted()).toEqual(tables.map(({ name }) => name).toSorted());
  expect(tableNames('partitioned').toSorted()).toEqual(
    tables
      .filter(({ partitioned }) => partitioned)
      .map(({ name }) => name)
      .toSorted(),
  );
  for (const [table, column] of tablesWith('counts'))
    expect(tables.find(({ name }) => name === table)!.columns).toContain(column);
});

test('every sequence that belongs to no column is declared', async () => {
  const sequences = await database.sql<{ name: string }[]>`
    select relname as name
      from pg_class c
     where relnamespace = 'public'::regnamespace and relkind = 'S'
       and not exists (select from pg_depend where objid = c.oid and deptype = 'i')`;
  expect(sequences.map(({ name }) => name)).toEqual(SEQUENCES);
});

test('functions that indexes, checks, defaults and triggers use are not in sql/functions', async () => {
  const used = await database.sql<{ name: string }[]>`
    select distinct proname as name
      from pg_depend d join pg_proc p on d.refclassid = 'pg_proc'::regclass and p.oid = d.refobjid
     where d.classid in ('pg_class'::regclass, 'pg_constraint'::regclass, 'pg_attrdef'::regclass, 'pg_trigger'::regclass)
       and p.pronamespace = 'public'::regnamespace
     order by 1`;
  expect(used.map(({ name }) => name)).toContain('version_order');
  const { functions = '' } = MIGRATIONS.at(-1)!;
  for (const { name } of used) expect(functions).not.toContain(`function ${name}(`);
});

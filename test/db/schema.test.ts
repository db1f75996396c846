import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

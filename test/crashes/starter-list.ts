import { listNeverGuilty } from '../../src/crashes/never-guilty-list.ts';
import type { ListEntry } from '../../src/crashes/never-guilty-matcher.ts';
import { testDatabase } from '../database.ts';

/** The never-guilty list that a new database has. */
export async function starterList(): Promise<ListEntry[]> {
  const database = await testDatabase();
  const entries = await listNeverGuilty(database.sql);
  await database.close();
  return entries.map(({ function: name, module, pattern }) => ({ function: name, module, pattern }));
}

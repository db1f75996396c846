import { type FrameName, listNeverGuilty } from '../../src/crashes/never-guilty-list.ts';
import { testDatabase } from '../database.ts';

/** The never-guilty list that a new database has. */
export async function starterList(): Promise<FrameName[]> {
  const database = await testDatabase();
  const entries = await listNeverGuilty(database.sql);
  await database.close();
  return entries.map(({ function: name, module }) => ({ function: name, module }));
}

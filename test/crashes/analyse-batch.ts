import { readBatch, storeAnalysed } from '../../src/crashes/analyse.ts';
import type { Demangler } from '../../src/crashes/demangle/demangle.ts';
import { createListReader } from '../../src/crashes/never-guilty-list.ts';
import type { Sql } from '../../src/db/connect.ts';

/** Analyses one batch of waiting crash records, as the worker does with one after the other; returns how many were claimed. */
export async function analyseBatch(sql: Sql, demangler: Demangler): Promise<number> {
  const batch = await readBatch(sql, demangler);
  await storeAnalysed(sql, batch, createListReader());
  return batch.claimed.length;
}

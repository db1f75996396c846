import { shellActor } from '../audit/audit.ts';
import type { Queryable, Sql } from '../db/connect.ts';
import { IMPORT_LOCK } from '../db/locks.ts';
import { OperatorError } from '../errors.ts';
import { type Importer, importRecords } from './import.ts';
import { type Judgements, takeJudgements } from './judgements.ts';
import { countOldRecords, type Source } from './source.ts';
import { clearIds, findState, fromTheFirst, type ImportState, initialState, openState } from './store.ts';

export interface ImportReport {
  /** The source, without its password. */
  name: string;
  source: Pick<Source, 'schema' | 'foreignTables'>;
  fleet: string;
  state: ImportState;
  /** Records of the source that earlier runs have dealt with. */
  before: number;
  /** Records in the source as far as it was read. */
  inSource: number;
  setAside: number;
  /** Those of the source less those dealt with. */
  difference: number;
  /** Undefined: an earlier run has taken them. */
  judgements: Judgements | undefined;
  dryRun: boolean;
}

interface ImportProgress {
  bar(total: number): { show(read: number): void; done(read: number): void };
  /** So many records of the source are older than retention.days. */
  olderThanRetention(records: number): void;
}

const LOCK_TIMEOUT_MS = 5_000;

/** Copies what the source has and an earlier run has not read, or all of it `again`, or counts only. */
export async function runImport(
  source: Source,
  name: string,
  again: boolean,
  importer: Importer,
  progress: ImportProgress,
): Promise<ImportReport> {
  const { sql, config, dryRun } = importer;
  await lock(sql);
  try {
    const known = dryRun ? ((await findState(sql, source.key)) ?? initialState(source.key)) : undefined;
    const state = known ? (again ? fromTheFirst(known) : known) : await openState(sql, source.key, name, again);
    const before = state.imported + state.present + setAsideOf(state);
    // First, so that crashes are analysed with the list.
    const judgements = state.judged
      ? undefined
      : await takeJudgements(sql, source, dryRun ? undefined : shellActor(), tx => markJudged(tx, state));
    const upTo = source.highestId;
    if (upTo !== null) {
      const { days } = config.retention;
      const old = days === 0 ? 0 : await countOldRecords(source, { upTo, olderThanDays: days });
      if (old > 0) progress.olderThanRetention(old);
      if (!dryRun) await clearIds(sql, upTo);
      const bar = progress.bar(await countOldRecords(source, { after: state.lastId, upTo }));
      bar.done(await importRecords(source, upTo, state, importer, bar.show));
    }
    const inSource = upTo === null ? 0 : await countOldRecords(source, { upTo });
    const setAside = setAsideOf(state);
    const difference = inSource - state.imported - state.present - setAside;
    const fleet = importer.fleet.name;
    return { name, source, fleet, state, before, inSource, setAside, difference, judgements, dryRun };
  } finally {
    await sql`select pg_advisory_unlock(${IMPORT_LOCK})`.catch(() => {});
  }
}

function setAsideOf({ setAside }: ImportState): number {
  return Object.values(setAside).reduce((sum, records) => sum + records, 0);
}

/** One that was killed just now holds its lock until PostgreSQL has noticed. */
async function lock(sql: Sql) {
  for (const deadline = Date.now() + LOCK_TIMEOUT_MS; ; await Bun.sleep(200)) {
    const [row] = await sql<{ taken: boolean }[]>`select pg_try_advisory_lock(${IMPORT_LOCK}) as taken`;
    if (row!.taken) return;
    if (Date.now() > deadline) throw new OperatorError('another import is under way', 'Try again once it is done.');
  }
}

async function markJudged(tx: Queryable, { source }: ImportState) {
  await tx`update imports set judged_at = now() where source = ${source}`;
}

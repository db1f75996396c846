import { type Actor, recordAudit } from '../audit/audit.ts';
import type { Queryable } from '../db/connect.ts';
import type { FrameName } from './names.ts';
import { type ListEntry, type LookUp, matcherOf } from './never-guilty-matcher.ts';

/** One version of the never-guilty list. */
export interface NeverGuiltyList {
  version: number;
  lookUp: LookUp;
}

interface NeverGuiltyRow extends ListEntry {
  id: number;
  builtIn: boolean;
  addedAt: Date;
}

/** A change that analysts make to the list. */
export interface ListChange {
  add: FrameName[];
  /** Ids of entries. */
  remove: number[];
}

export function listNeverGuilty(sql: Queryable) {
  return sql<NeverGuiltyRow[]>`
    select id, function, module, pattern, built_in as "builtIn", added_at as "addedAt" from never_guilty order by module, function`;
}

/** Reads the list in a transaction, and keeps it from changing until that ends. */
export type ReadList = (tx: Queryable) => Promise<NeverGuiltyList>;

/** Makes a reader that reads the list again only after a change. Each database needs its own. */
export function createListReader(): ReadList {
  let known: NeverGuiltyList | undefined;
  return async tx => {
    const [row] = await tx<{ version: number }[]>`select version from never_guilty_version for share`;
    if (known?.version !== row!.version) {
      const entries = await tx<ListEntry[]>`select function, module, pattern from never_guilty order by id`;
      known = { version: row!.version, lookUp: matcherOf(entries) };
    }
    return known;
  };
}

export async function listVersion(sql: Queryable): Promise<number> {
  const [row] = await sql<{ version: number }[]>`select version from never_guilty_version`;
  return row!.version;
}

export function entriesById(sql: Queryable, ids: number[]) {
  return sql<ListEntry[]>`select function, module, pattern from never_guilty where id = any(${ids}::bigint[])`;
}

/** The list as it would be after a change. */
export async function listAfter(sql: Queryable, { add, remove }: ListChange): Promise<LookUp> {
  const kept = await sql<ListEntry[]>`
    select function, module, pattern from never_guilty where id <> all(${remove}::bigint[]) order by id`;
  return matcherOf([...kept, ...add.map(frame => ({ ...frame, pattern: false }))]);
}

/**
 * Changes the list and its version in a transaction; returns whether there was anything to change. Waits for decisions
 * that still use the list as it was.
 */
export async function changeList(tx: Queryable, { add, remove }: ListChange, actor: Actor): Promise<boolean> {
  await tx`select version from never_guilty_version for update`;
  const removed = await tx<FrameName[]>`
    delete from never_guilty where id = any(${remove}::bigint[]) returning function, module`;
  const added = await tx<FrameName[]>`
    insert into never_guilty (function, module)
    select distinct function, module
      from unnest(${add.map(frame => frame.function)}::text[], ${add.map(frame => frame.module)}::text[]) as came (function, module)
     where not exists (select from never_guilty known
                        where (known.function, known.module) = (came.function, came.module) and not known.pattern)
    returning function, module`;
  if (removed.count + added.count === 0) return false;
  await recordAudit(tx, actor, {
    action: 'changed the never-guilty list',
    before: removed.count > 0 ? { removed } : undefined,
    after: added.count > 0 ? { added } : undefined,
  });
  await tx`update never_guilty_version set version = version + 1`;
  return true;
}

/** Functions in any stack whose name or module contains a text. */
export function searchFrames(sql: Queryable, text: string, limit: number) {
  const pattern = `%${text.replaceAll(/[\\%_]/g, character => `\\${character}`)}%`;
  return sql<(FrameName & { stacks: number })[]>`
    select function, module, count(*) as stacks
      from (select distinct s.id, f->>'function' as function, f->>'module' as module
              from stacks s, jsonb_array_elements(s.frames) f
             where f->>'function' ilike ${pattern} or f->>'module' ilike ${pattern}) frame
     group by 1, 2 order by 3 desc, 1, 2 limit ${limit}`;
}

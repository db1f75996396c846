import { type Actor, recordAudit } from '../access/audit.ts';
import type { Queryable } from '../db/connect.ts';

export interface FrameName {
  function: string;
  module: string;
}

/** Of a function's or a module's name on the list. */
export const NAME_LENGTH = 4096;

/** The never-guilty list in one of its states. */
export interface NeverGuiltyList {
  version: number;
  has(functionName: string, module: string): boolean;
}

export interface NeverGuiltyRow extends FrameName {
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
    select id, function, module, built_in as "builtIn", added_at as "addedAt" from never_guilty order by module, function`;
}

/** The list as it is, kept from changing until the transaction ends. */
export async function readListForShare(tx: Queryable): Promise<NeverGuiltyList> {
  const [row] = await tx<{ version: number }[]>`select version from never_guilty_version for share`;
  return listOf(await tx<FrameName[]>`select function, module from never_guilty`, row!.version);
}

export async function listVersion(sql: Queryable): Promise<number> {
  const [row] = await sql<{ version: number }[]>`select version from never_guilty_version`;
  return row!.version;
}

export function entriesById(sql: Queryable, ids: number[]) {
  return sql<FrameName[]>`select function, module from never_guilty where id = any(${ids}::bigint[])`;
}

/** The list as it would be after a change. */
export async function listAfter(sql: Queryable, { add, remove }: ListChange): Promise<NeverGuiltyList> {
  const kept = await sql<FrameName[]>`select function, module from never_guilty where id <> all(${remove}::bigint[])`;
  return listOf([...kept, ...add]);
}

/** A frame is on the list where function and module are both exactly the same. */
export function listOf(frames: readonly FrameName[], version = 0): NeverGuiltyList {
  const names = new Set(frames.map(keyOf));
  return { version, has: (functionName, module) => names.has(keyOf({ function: functionName, module })) };
}

function keyOf(frame: FrameName) {
  return `${frame.function}\n${frame.module}`;
}

/**
 * Changes the list and its version in a transaction; returns whether there was anything to change. Waits for decisions
 * under way with the list as it was.
 */
export async function changeList(tx: Queryable, { add, remove }: ListChange, actor: Actor): Promise<boolean> {
  await tx`select version from never_guilty_version for update`;
  const removed = await tx<FrameName[]>`
    delete from never_guilty where id = any(${remove}::bigint[]) returning function, module`;
  const added = await tx<FrameName[]>`
    insert into never_guilty (function, module)
    select distinct function, module
      from unnest(${add.map(frame => frame.function)}::text[], ${add.map(frame => frame.module)}::text[]) as came (function, module)
     where not exists (select from never_guilty known where (known.function, known.module) = (came.function, came.module))
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

/** Functions seen in any stack whose name or module holds a text, and their entries on the list. */
export function searchFrames(sql: Queryable, text: string, limit: number) {
  const pattern = `%${text.replaceAll(/[\\%_]/g, character => `\\${character}`)}%`;
  return sql<(FrameName & { stacks: number; listed: number | null })[]>`
    select function, module, count(*) as stacks,
           (select id from never_guilty known where (known.function, known.module) = (frame.function, frame.module)) as listed
      from (select distinct s.id, f->>'function' as function, f->>'module' as module
              from stacks s, jsonb_array_elements(s.frames) f
             where f->>'function' ilike ${pattern} or f->>'module' ilike ${pattern}) frame
     group by 1, 2 order by 3 desc, 1, 2 limit ${limit}`;
}

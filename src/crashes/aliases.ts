import type { Queryable } from '../db/connect.ts';

/** A guilty whose stacks all moved to one other. */
interface Alias {
  id: number;
  function: string;
  module: string;
  /** Empty unless the other guilty already had a comment of its own. */
  comment: string;
}

/** The guilties that a guilty has replaced. */
export function aliasesOf(sql: Queryable, id: number, limit: number) {
  return sql<Alias[]>`
    select id, function, module, comment from guilties where alias_of = ${id} order by id limit ${limit}`;
}

/** Ends the alias of guilties that got stacks again. Returns those that were aliases. */
export async function dropAliases(tx: Queryable, guiltyIds: number[]): Promise<number[]> {
  if (guiltyIds.length === 0) return [];
  const dropped = await tx<{ id: number }[]>`
    update guilties set alias_of = null where alias_of is not null and id = any(${guiltyIds}::bigint[]) returning id`;
  return dropped.map(({ id }) => id);
}

interface Moved {
  /** The guilties that lost stacks. */
  lost: number[];
  /** The guilties among the receivers that were aliases before. */
  returned: number[];
  /** The newest guilty that existed before anything moved. */
  newestBefore: number;
}

/**
 * Makes a guilty that lost its last stack an alias of the guilty that all its stacks moved to, if that is one. Its
 * comment moves along if the other has none. The other guilty becomes hidden if all that it replaces were hidden,
 * unless it is older and has stacks of its own. If one of them was not hidden, it becomes visible if it is new or was
 * an alias until now.
 */
export async function settleAliases(tx: Queryable, { lost, returned, newestBefore }: Moved) {
  const settled = await tx<{ id: number; heir: number }[]>`
    with moved as (
      select moved_from as id, min(guilty_id) as heir
        from stacks where moved_from = any(${lost}::bigint[])
       group by moved_from having min(guilty_id) = max(guilty_id)
    )
    update guilties g set alias_of = moved.heir
      from moved
     where g.id = moved.id and not exists (select from stacks where guilty_id = g.id)
    returning g.id, moved.heir`;
  if (settled.length === 0) return;
  const ids = settled.map(({ id }) => id);
  const heirs = [...new Set(settled.map(({ heir }) => heir))];
  await tx`
    update guilties g set alias_of = nearer.alias_of
      from guilties nearer
     where nearer.id = g.alias_of and nearer.id = any(${ids}::bigint[])`;
  await tx`
    with follow as (
      select alias_of as heir, (array_agg(comment order by id) filter (where comment <> ''))[1] as comment,
             bool_and(hidden_at is not null) as hidden, max(hidden_at) as hidden_at
        from guilties
       where alias_of = any(${heirs}::bigint[]) and (id = any(${ids}::bigint[]) or alias_of > ${newestBefore})
       group by alias_of
    )
    update guilties g
       set comment = coalesce(nullif(g.comment, ''), follow.comment, ''),
           hidden_at = case
             when g.id <= ${newestBefore} and exists (
                    select from stacks s
                     where s.guilty_id = g.id and (s.moved_from is null or s.moved_from <> all(${ids}::bigint[])))
             then g.hidden_at
             when follow.hidden then coalesce(g.hidden_at, follow.hidden_at)
             when g.id <= ${newestBefore} and g.id <> all(${returned}::bigint[]) then g.hidden_at
           end
      from follow where g.id = follow.heir`;
  await tx`
    update guilties alias set comment = ''
      from guilties g
     where alias.alias_of = g.id and g.id = any(${heirs}::bigint[]) and alias.comment = g.comment`;
}

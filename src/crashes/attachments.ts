import type { Queryable, Sql } from '../db/connect.ts';

/** A link or a comment that a machine sent on a backtrace. */
export interface Attachment {
  /** Of the stack. */
  hash: string;
  kind: 'link' | 'comment';
  /** At most 1,000 characters; of a link, its address. */
  text: string;
}

/** So many of a guilty are kept, the first. */
export const MOST_ATTACHMENTS = 10;

/** The stack of a hash and its guilty, which one without frames has not. */
export async function stackOfHash(sql: Queryable, hash: string) {
  const [row] = await sql<{ id: number; guiltyId: number | null }[]>`
    select id, guilty_id as "guiltyId" from stacks where hash = ${hash}::uuid`;
  return row;
}

/** Keeps what the guilty does not have yet. */
export function keepAttachment(sql: Sql, { hash, kind, text }: Attachment): Promise<'kept' | 'full' | 'unknown'> {
  return sql.begin(async tx => {
    const stack = await stackOfHash(tx, hash);
    if (!stack) return 'unknown';
    const { id, guiltyId } = stack;
    // Two at once would pass the bound. Analysis is not held up: it needs no more than the key.
    await tx`select from guilties where id = ${guiltyId} for no key update`;
    const there = await attachmentsOf(tx, guiltyId === null ? { stackId: id } : { guiltyId });
    if (there.some(other => other.kind === kind && other.text === text)) return 'kept';
    if (there.length >= MOST_ATTACHMENTS) return 'full';
    await tx`insert into attachments (stack_id, kind, text) values (${id}, ${kind}, ${text}) on conflict do nothing`;
    return 'kept';
  });
}

/** What machines sent on the backtraces of a guilty, the oldest first. */
export function attachmentsOf(sql: Queryable, of: { guiltyId: number } | { stackId: number }) {
  return sql<(Pick<Attachment, 'kind' | 'text'> & { attachedAt: Date })[]>`
    select a.kind, a.text, a.attached_at as "attachedAt"
      from attachments a join stacks s on s.id = a.stack_id
     where ${'guiltyId' in of ? sql`s.guilty_id = ${of.guiltyId}` : sql`s.id = ${of.stackId}`}
     order by a.id limit ${MOST_ATTACHMENTS}`;
}

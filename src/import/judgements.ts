import { COMMENT_LENGTH } from '../../views/crashes/forms.tsx';
import { type Actor, recordAudit } from '../audit/audit.ts';
import { type FrameName, NAME_LENGTH, stableFunction, stableModule } from '../crashes/names.ts';
import { changeList } from '../crashes/never-guilty-list.ts';
import { requestRecomputation } from '../crashes/recompute.ts';
import type { Queryable, Sql } from '../db/connect.ts';
import { hasTable, listJudged, listOldNeverGuilty, type OldGuilty, type Source } from './source.ts';

/** What analysts had decided in the old server, and what of it is here now. */
export interface Judgements {
  comments: number;
  hidden: number;
  /** A comment that was here already stays, and the old one does not come. */
  commentsKept: number;
  shortened: number;
  neverGuilty: number;
  neverGuiltyPresent: number;
  /** Without function or module, or with one too long. */
  unusable: number;
}

type Named<T> = T & FrameName;

/** Reads what analysts had decided, and how much of it is new here; with `actor` it is taken over, once for each source. */
export async function takeJudgements(
  sql: Sql,
  source: Source,
  actor: Actor | undefined,
  done: (tx: Queryable) => Promise<unknown>,
): Promise<Judgements> {
  const judged = (await hasTable(source.sql, 'guilty')) ? [...(await listJudged(source))] : [];
  const listed = (await hasTable(source.sql, 'guilty_blacklisted')) ? [...(await listOldNeverGuilty(source))] : [];
  const guilties = judged.filter(isNamed).map(named);
  const frames = distinct(listed.filter(isNamed).filter(isListable).map(named));
  const unusable =
    judged.length - guilties.length + listed.filter(entry => !isNamed(entry) || !isListable(entry)).length;
  return sql.begin(async tx => {
    const added = await countUnlisted(tx, frames);
    const known = await knownComments(tx, guilties);
    const comments = guilties.filter(guilty => guilty.comment);
    const kept = comments.filter(guilty => known.has(keyOf(guilty)));
    if (actor) {
      if (await changeList(tx, { add: frames, remove: [] }, actor)) await requestRecomputation(tx);
      await insertJudged(tx, guilties);
      const after = { guilties: guilties.length, never_guilty: added };
      await recordAudit(tx, actor, { action: 'imported judgements', subject: 'an old server', after });
      await done(tx);
    }
    return {
      comments: comments.length - kept.length,
      hidden: guilties.filter(guilty => guilty.hidden).length,
      commentsKept: kept.length,
      shortened: comments.filter(guilty => [...guilty.comment!].length > COMMENT_LENGTH && !known.has(keyOf(guilty)))
        .length,
      neverGuilty: added,
      neverGuiltyPresent: frames.length - added,
      unusable,
    };
  });
}

function isNamed<T extends Pick<OldGuilty, 'function' | 'module'>>(entry: T): entry is Named<T> {
  return entry.function !== null && entry.module !== null;
}

/** Under the name that its crashes are put down to here. */
function named<T extends FrameName>(entry: T): T {
  return { ...entry, function: stableFunction(entry.function), module: stableModule(entry.module) };
}

function isListable({ function: name, module }: FrameName) {
  return [name, module].every(text => text.length >= 1 && text.length <= NAME_LENGTH);
}

function distinct(frames: FrameName[]): FrameName[] {
  const known = new Map(frames.map(frame => [keyOf(frame), { function: frame.function, module: frame.module }]));
  return [...known.values()];
}

function keyOf(frame: FrameName) {
  return `${frame.function}\n${frame.module}`;
}

async function countUnlisted(sql: Queryable, frames: FrameName[]): Promise<number> {
  const [row] = await sql<{ frames: number }[]>`
    select count(*) as frames
      from json_to_recordset(${JSON.stringify(frames)}::text::json) as came (function text, module text)
     where not exists (select from never_guilty known
                        where (known.function, known.module) = (came.function, came.module) and not known.pattern)`;
  return row!.frames;
}

/** Those of them that have a comment here. */
async function knownComments(sql: Queryable, guilties: FrameName[]): Promise<Set<string>> {
  const rows = await sql<FrameName[]>`
    select g.function, g.module
      from json_to_recordset(${JSON.stringify(guilties)}::text::json) as came (function text, module text)
      join guilties g on md5(g.function || E'\n' || g.module) = md5(came.function || E'\n' || came.module)
     where g.comment <> ''`;
  return new Set(rows.map(keyOf));
}

/** Guilties that no crash of ours has yet are made, so that what was said of them is there when one comes. */
async function insertJudged(tx: Queryable, guilties: Named<OldGuilty>[]) {
  const rows = guilties.map(guilty => ({ ...guilty, comment: shortened(guilty.comment ?? '') }));
  await tx`
    insert into guilties as known (function, module, comment, hidden_at)
    select function, module, max(comment), case when bool_or(hidden) then now() end
      from json_to_recordset(${JSON.stringify(rows)}::text::json) as came (function text, module text, comment text, hidden boolean)
     group by 1, 2 order by 1, 2
        on conflict (md5(function || E'\n' || module)) do update
       set comment = case when known.comment = '' then excluded.comment else known.comment end,
           hidden_at = coalesce(known.hidden_at, excluded.hidden_at)`;
}

function shortened(comment: string): string {
  const line = comment.replaceAll(/\s+/g, ' ').trim();
  return [...line].length > COMMENT_LENGTH ? `${[...line].slice(0, COMMENT_LENGTH - 1).join('')}…` : line;
}

import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { editFromRecordPath, neverGuiltyPath, recomputationPath, withOffset } from '../../views/crashes/links.ts';
import { NeverGuiltyListPage } from '../../views/crashes/never-guilty.tsx';
import { ChangePreviewPage } from '../../views/crashes/never-guilty-preview.tsx';
import { type EditableFrame, NeverGuiltyFromRecordPage } from '../../views/crashes/never-guilty-record.tsx';
import {
  RecomputationPage,
  RecomputationProgress,
  type ShownRecomputation,
} from '../../views/crashes/recomputation.tsx';
import { actorOf, recordAudit } from '../audit/audit.ts';
import { RequestError } from '../errors.ts';
import { findRecord } from '../records/queries.ts';
import {
  formListsOf,
  formOf,
  idInPath,
  idParam,
  integerParam,
  parseOrRefuse,
  queryOf,
  textParam,
  valid,
} from '../validation.ts';
import type { Site } from '../web/site.ts';
import { isCandidate } from './guilty.ts';
import { type FrameName, NAME_LENGTH, stableFunction, stableModule } from './names.ts';
import { entriesById, type ListChange, listNeverGuilty, listVersion, searchFrames } from './never-guilty-list.ts';
import { matcherOf } from './never-guilty-matcher.ts';
import type { GuiltyRow } from './queries.ts';
import {
  applyChange,
  findRecomputation,
  type Move,
  previewChange,
  RECOMPUTED,
  type Recomputation,
  requestRecomputation,
  submitChange,
} from './recompute.ts';
import { backtraceOf } from './shown.ts';
import { type DecidedStack, stackOfRecord } from './stack-queries.ts';

const SEARCH_RESULTS = 50;
const ENTRIES_A_PAGE = 100;
const MOVES_SHOWN = 100;

/** The never-guilty list: editing it from a record, adding, removing, previews and recomputing. */
export function neverGuiltyPages({ sql, frame, onWork }: Site) {
  return new Hono()
    .get('/guilty_edit/', valid('query', recordForm), async c => {
      const { record } = c.req.valid('query');
      if (record === undefined) return c.redirect(neverGuiltyPath(), 302);
      return c.html(await fromRecord(c, record, []));
    })
    .post('/guilty_edit/apply', async c => {
      const { record, frame: ticked } = await recordAndFrames(c);
      const before = await crashOf(record);
      const add = tickedFrames(before, ticked);
      await applyChange(sql, { add, remove: [] }, before.id, actorOf(c));
      const after = await crashOf(record);
      return c.html(await fromRecord(c, record, [], { from: before.guilty, to: after.guilty }));
    })
    .post('/guilty_edit/preview', async c => {
      const { record, frame: ticked } = await recordAndFrames(c);
      const add = tickedFrames(await crashOf(record), ticked);
      return preview(c, { add, remove: [] }, 'add', add, {
        action: '/telemetryui/crashes/guilty_edit/submit',
        fields: [['record', String(record)], ...ticked.map((number): [string, string] => ['frame', String(number)])],
        cancelHref: editFromRecordPath(record),
      });
    })
    .post('/guilty_edit/submit', async c => {
      const { record, frame: ticked } = await recordAndFrames(c);
      return change(c, { add: tickedFrames(await crashOf(record), ticked), remove: [] });
    })
    .get('/guilty_edit/add', list)
    .get('/guilty_edit/remove', list)
    .get('/guilty_edit/reset', list)
    .post('/guilty_edit/add', async c => {
      const form = parseOrRefuse(addForm, await formOf(c));
      const add = [{ function: stableFunction(form.function!), module: stableModule(form.module!) }];
      if (form.confirmed) return change(c, { add, remove: [] });
      return preview(c, { add, remove: [] }, 'add', add, {
        action: '/telemetryui/crashes/guilty_edit/add',
        fields: [
          ['function', form.function!],
          ['module', form.module!],
          ['confirmed', 'yes'],
        ],
        cancelHref: neverGuiltyPath(),
      });
    })
    .post('/guilty_edit/remove', async c => {
      const form = parseOrRefuse(removeForm, await formOf(c));
      const removed = await entriesById(sql, [form.id!]);
      if (removed.length === 0) throw new RequestError(404, 'that entry is not on the list, or no longer');
      if (form.confirmed) return change(c, { add: [], remove: [form.id!] });
      return preview(c, { add: [], remove: [form.id!] }, 'remove', removed, {
        action: '/telemetryui/crashes/guilty_edit/remove',
        fields: [
          ['id', String(form.id)],
          ['confirmed', 'yes'],
        ],
        cancelHref: neverGuiltyPath(),
      });
    })
    .post('/recomputations', async c => {
      const id = await requestRecomputation(sql);
      await recordAudit(sql, actorOf(c), RECOMPUTED);
      onWork();
      return c.redirect(recomputationPath(id), 303);
    })
    .get('/recomputations/:id', async c =>
      c.html(<RecomputationPage frame={await frame(c)} recomputation={await recomputationOf(c)} />),
    )
    .get('/recomputations/:id/progress', async c =>
      c.html(<RecomputationProgress recomputation={await recomputationOf(c)} />),
    );

  async function list(c: Context) {
    const { q, offset = 0 } = parseOrRefuse(listQuery, queryOf(c));
    const [entries, version, running, found] = await Promise.all([
      listNeverGuilty(sql),
      listVersion(sql),
      findRecomputation(sql),
      q === undefined ? [] : searchFrames(sql, q, SEARCH_RESULTS + 1),
    ]);
    const builtIn = entries.filter(entry => entry.builtIn).length;
    const lookUp = matcherOf(entries);
    const matching =
      q === undefined
        ? entries
        : entries.filter(entry => `${entry.function} ${entry.module}`.toLowerCase().includes(q.toLowerCase()));
    const ofAnalystsFirst = matching.toSorted((a, b) => Number(a.builtIn) - Number(b.builtIn));
    const end = offset + ENTRIES_A_PAGE;
    return c.html(
      <NeverGuiltyListPage
        frame={await frame(c)}
        entries={ofAnalystsFirst.slice(offset, end).map(({ builtIn: isBuiltIn, ...entry }) => ({
          ...entry,
          origin: isBuiltIn ? 'built-in' : 'analyst',
        }))}
        previousHref={offset > 0 ? withOffset(neverGuiltyPath(q), offset - ENTRIES_A_PAGE) : undefined}
        nextHref={end < matching.length ? withOffset(neverGuiltyPath(q), end) : undefined}
        counts={{ builtIn, byAnalysts: entries.length - builtIn }}
        version={version}
        search={
          q === undefined
            ? undefined
            : {
                q,
                found: found
                  .slice(0, SEARCH_RESULTS)
                  .map(row => ({ ...row, listed: lookUp(row.function, row.module).entry !== undefined })),
                more: found.length > SEARCH_RESULTS,
              }
        }
        running={running && running.finishedAt === null ? { id: running.id } : undefined}
      />,
    );
  }

  async function crashOf(recordId: number): Promise<DecidedStack & { guilty: GuiltyRow | null }> {
    const record = await findRecord(sql, recordId);
    if (!record) throw new RequestError(404, `there is no record ${recordId}`);
    const stack = await stackOfRecord(sql, record);
    if (!stack) throw new RequestError(404, `record ${recordId} has no analysed backtrace`);
    return stack;
  }

  async function fromRecord(
    c: Context,
    recordId: number,
    ticked: number[],
    applied?: { from: GuiltyRow | null; to: GuiltyRow | null },
  ) {
    const stack = await crashOf(recordId);
    const lookUp = matcherOf(await listNeverGuilty(sql));
    const shown = backtraceOf(stack).frames;
    const frames = shown.map((row, index): EditableFrame => {
      const name = stack.frames[index]!;
      const { entry } = lookUp(name.function, name.module);
      const choice = !isCandidate(name) ? 'fixed' : entry ? 'listed' : 'offered';
      return { ...row, value: name.number, choice, listed: entry ?? null, ticked: ticked.includes(name.number) };
    });
    return (
      <NeverGuiltyFromRecordPage
        frame={await frame(c)}
        recordId={recordId}
        guilty={stack.guilty}
        frames={frames}
        applied={applied}
      />
    );
  }

  async function preview(
    c: Context,
    listChange: ListChange,
    kind: 'add' | 'remove',
    functions: FrameName[],
    { action, fields, cancelHref }: { action: string; fields: [string, string][]; cancelHref: string },
  ) {
    const moves = await previewChange(sql, listChange);
    return c.html(
      <ChangePreviewPage
        frame={await frame(c)}
        change={kind}
        functions={functions}
        stacks={total(moves, 'stacks')}
        records={total(moves, 'records')}
        moves={moves.slice(0, MOVES_SHOWN)}
        otherMoves={Math.max(0, moves.length - MOVES_SHOWN)}
        confirm={{ action, fields }}
        cancelHref={cancelHref}
      />,
    );
  }

  async function change(c: Context, listChange: ListChange) {
    const submitted = await submitChange(sql, listChange, actorOf(c));
    if (!submitted) return c.redirect(neverGuiltyPath(), 303);
    onWork();
    return c.redirect(recomputationPath(submitted.id), 303);
  }

  async function recomputationOf(c: Context): Promise<ShownRecomputation> {
    const id = idInPath(c.req.param('id'));
    const found = id === undefined ? undefined : await findRecomputation(sql, id);
    if (!found) throw new RequestError(404, 'there is no such recomputation');
    return shownRecomputation(found);
  }
}

function shownRecomputation({ requestedAt, ...rest }: Recomputation): ShownRecomputation {
  return {
    ...rest,
    startedAt: requestedAt,
    state: rest.error !== null ? 'failed' : rest.finishedAt === null ? 'running' : 'finished',
  };
}

const listQuery = z.object({ q: textParam(200), offset: integerParam(0, 1_000_000) });
const confirmed = z.literal('yes').optional();
const recordForm = z.object({ record: idParam });
const framesForm = z.object({ record: idParam, frame: z.array(idParam) });
const addForm = z
  .object({ function: textParam(NAME_LENGTH), module: textParam(NAME_LENGTH), confirmed })
  .refine(form => form.function && form.module, {
    error: 'expected function and module',
  });
const removeForm = z
  .object({ id: idParam, confirmed })
  .refine(form => form.id !== undefined, { error: 'expected the id of an entry' });

async function recordAndFrames(c: Context): Promise<{ record: number; frame: number[] }> {
  const form = await formListsOf(c);
  const { record, frame } = parseOrRefuse(framesForm, { record: form.record?.at(-1), frame: form.frame ?? [] });
  if (record === undefined) throw new RequestError(400, 'record: missing, expected the id of a record');
  return { record, frame: frame.filter(number => number !== undefined) };
}

/** The functions of the ticked frames that may be ticked, named as guilties are: a name of one compilation would match no other. */
function tickedFrames({ frames }: DecidedStack, ticked: number[]): FrameName[] {
  const missing = ticked.find(number => !frames.some(frame => frame.number === number));
  if (missing !== undefined) throw new RequestError(400, `frame: got ${missing}, which this backtrace does not have`);
  return frames
    .filter(frame => ticked.includes(frame.number) && isCandidate(frame))
    .map(({ function: name, module }) => ({ function: stableFunction(name), module: stableModule(module) }));
}

function total(moves: Move[], key: 'stacks' | 'records') {
  return moves.reduce((sum, move) => sum + move[key], 0);
}

import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import { actorOf, recordAudit } from '../audit/audit.ts';
import type { Sql } from '../db/connect.ts';
import { RequestError } from '../errors.ts';
import { rateRow } from '../rates/rate.ts';
import { findRecord } from '../records/queries.ts';
import { dayOf } from '../time/ago.ts';
import { idInPath, parseOrRefuse, valid } from '../validation.ts';
import type { Site } from '../web/site.ts';
import { aliasesOf } from './aliases.ts';
import { attachmentsOf } from './attachments.ts';
import { guiltyBuilds } from './guilty-builds.ts';
import { NAME_LENGTH } from './names.ts';
import { type ListChange, listNeverGuilty, listVersion } from './never-guilty-list.ts';
import { buildsSeen, findGuilty, guiltyByDay, guiltyTotals } from './queries.ts';
import {
  findRecomputation,
  previewChange,
  RECOMPUTED,
  type Recomputation,
  recomputeStack,
  requestRecomputation,
  submitChange,
} from './recompute.ts';
import { guiltyShares } from './shares.ts';
import { guiltyName, stackToJson } from './shown.ts';
import { countStacks, guiltyStacks, stackOfRecord } from './stack-queries.ts';
import { buildRange, crashQuery, scopeOf, topCrashes } from './top.ts';

const TOP_LIMIT = 100;
const STACK_LIMIT = 50;
const BUILD_LIMIT = 100;
const ALIAS_LIMIT = 100;
const BODY_BYTES = 64 * 1024;

const name = z
  .string('expected a text')
  .min(1, 'expected at least 1 character')
  .max(NAME_LENGTH, `expected at most ${NAME_LENGTH} characters`)
  .refine(text => !text.includes('\0') && text.isWellFormed(), 'expected a text without NULs and lone surrogates');
const addition = z.object({ function: name, module: name });
const recomputation = z.strictObject({ record_id: z.int('expected the id of a record').min(0).optional() });

/** GET /            the top guilties: os (all of them, unless given), days, fleet, sort, build, limit, offset as on the page. */
export function guiltiesApi({ sql }: Site) {
  return new Hono()
    .get('/', valid('query', crashQuery), async c => {
      const query = c.req.valid('query');
      const { guilties, builds, more } = await topCrashes(sql, query, query.limit ?? TOP_LIMIT);
      return c.json({
        os: query.os ?? null,
        days: scopeOf(query).days,
        builds: builds.map(({ os, build }) => ({ os, build })),
        more,
        guilties: guilties.map(({ perBuild, seenOn, rate, trend: _, ...guilty }) => ({
          ...guilty,
          ...rateRow(rate),
          records_by_build: builds.map(({ os, build }, n) => ({ os, build, records: perBuild[n] })),
          systems: seenOn.map(({ os }) => os),
          ...buildRange(seenOn),
        })),
      });
    })
    .get('/:id', valid('query', crashQuery), async c => {
      const guilty = await guiltyOf(sql, c.req.param('id'));
      const query = c.req.valid('query');
      const scope = scopeOf(query);
      const [totals, days, builds, hostTypes, systems, seenOn, aliases, attachments] = await Promise.all([
        guiltyTotals(sql, guilty.id, scope),
        guiltyByDay(sql, guilty.id, scope),
        guiltyBuilds(sql, guilty.id, scope, BUILD_LIMIT, query.sort),
        guiltyShares(sql, guilty.id, 'host_type', scope),
        guiltyShares(sql, guilty.id, 'system_name', scope),
        buildsSeen(sql, scope, [guilty.id]),
        aliasesOf(sql, guilty.id, ALIAS_LIMIT),
        attachmentsOf(sql, { guiltyId: guilty.id }),
      ]);
      return c.json({
        ...guilty,
        aliases,
        os: query.os ?? null,
        days: scope.days,
        first_seen: totals.firstDay && dayOf(totals.firstDay),
        last_seen: totals.lastDay && dayOf(totals.lastDay),
        ...buildRange(seenOn),
        records: totals.records,
        machines: totals.machines,
        by_day: days,
        builds: builds.rows.map(({ os, build, records, machines, rate, top }) => ({
          build,
          os,
          records,
          machines,
          ...rateRow(rate),
          top_machines: top.map(({ machineId, records: onMachine }) => ({ machine_id: machineId, records: onMachine })),
        })),
        machine_types: hostTypes.rows,
        systems: systems.rows,
        attachments: attachments.map(({ kind, text, attachedAt }) => ({ kind, text, day: dayOf(attachedAt) })),
      });
    })
    .get('/:id/backtraces', valid('query', crashQuery), async c => {
      const guilty = await guiltyOf(sql, c.req.param('id'));
      const query = c.req.valid('query');
      const only = { ...scopeOf(query), machineId: query.machine_id, build: query.build };
      const limit = query.limit ?? STACK_LIMIT;
      const [stacks, totals] = await Promise.all([
        guiltyStacks(sql, guilty.id, { ...only, limit, offset: query.offset ?? 0 }),
        countStacks(sql, guilty.id, only),
      ]);
      return c.json({
        stacks: totals.stacks,
        records: totals.records,
        backtraces: stacks.map(stack => ({
          ...stackToJson(stack),
          records: stack.records,
          machines: stack.machines,
          newest_record_id: stack.newest?.id ?? null,
          signals: stack.signals,
          programs: stack.programs,
        })),
      });
    });
}

/** GET /  the list; POST / `{"function", "module"}` adds an entry; DELETE /ID removes one. Both say what would move, and recompute in the background. */
export function neverGuiltyApi({ sql, onWork }: Site) {
  async function change(c: Context, listChange: ListChange) {
    const moves = await previewChange(sql, listChange);
    const submitted = await submitChange(sql, listChange, actorOf(c));
    if (submitted) onWork();
    return { changed: submitted?.changed ?? false, recomputation_id: submitted?.id ?? null, moves };
  }
  return new Hono()
    .get('/', async c => {
      const [entries, version] = await Promise.all([listNeverGuilty(sql), listVersion(sql)]);
      return c.json({
        version,
        entries: entries.map(({ id, function: fn, module, pattern, builtIn, addedAt }) => ({
          id,
          function: fn,
          module,
          pattern,
          built_in: builtIn,
          added_at: addedAt.toISOString(),
        })),
      });
    })
    .post('/', bodyLimit({ maxSize: BODY_BYTES }), async c => {
      const entry = parseOrRefuse(addition, await jsonBody(c));
      const result = await change(c, { add: [entry], remove: [] });
      return c.json(result, result.changed ? 201 : 200);
    })
    .delete('/:id', async c => {
      const id = idInPath(c.req.param('id'));
      const result = id === undefined ? { changed: false } : await change(c, { add: [], remove: [id] });
      if (!result.changed) throw new RequestError(404, `there is no entry ${c.req.param('id')}`);
      return c.json(result);
    });
}

/** POST / `{}` recomputes all in the background, `{"record_id": N}` that record's stack now; GET / and GET /ID tell the progress. */
export function recomputationsApi({ sql, onWork }: Site) {
  return new Hono()
    .post('/', bodyLimit({ maxSize: BODY_BYTES }), async c => {
      const { record_id: recordId } = parseOrRefuse(recomputation, await jsonBody(c));
      if (recordId === undefined) {
        const id = await requestRecomputation(sql);
        await recordAudit(sql, actorOf(c), RECOMPUTED);
        onWork();
        return c.json(progress((await findRecomputation(sql, id))!), 202);
      }
      const record = await findRecord(sql, recordId);
      const stack = record && (await stackOfRecord(sql, record));
      if (!record || !stack) throw new RequestError(404, `there is no analysed crash record ${recordId}`);
      await recomputeStack(sql, stack.id);
      await recordAudit(sql, actorOf(c), { ...RECOMPUTED, subject: `the backtrace of record ${recordId}` });
      const after = (await stackOfRecord(sql, record))!;
      return c.json({ record_id: recordId, guilty: guiltyName(after.guilty), ...stackToJson(after) });
    })
    .get('/', async c => {
      const newest = await findRecomputation(sql);
      return c.json({ recomputation: newest ? progress(newest) : null });
    })
    .get('/:id', async c => {
      const id = idInPath(c.req.param('id'));
      const found = id === undefined ? undefined : await findRecomputation(sql, id);
      if (!found) throw new RequestError(404, `there is no recomputation ${c.req.param('id')}`);
      return c.json(progress(found));
    });
}

function progress({ id, requestedAt, finishedAt, total, done, moved, error }: Recomputation) {
  return {
    id,
    state: error !== null ? 'failed' : finishedAt === null ? 'running' : 'finished',
    stacks: total,
    stacks_done: done,
    records_moved: moved,
    requested_at: requestedAt.toISOString(),
    finished_at: finishedAt?.toISOString() ?? null,
    error,
  };
}

/** The guilty that an id in a path names or once named, or a 404. */
export async function guiltyOf(sql: Sql, param: string) {
  const id = idInPath(param);
  const guilty = id === undefined ? undefined : await findGuilty(sql, id);
  if (!guilty) throw new RequestError(404, `there is no guilty ${param}`);
  return guilty;
}

async function jsonBody(c: { req: { text(): Promise<string> } }): Promise<unknown> {
  const text = await c.req.text();
  if (text.trim() === '') return {};
  const body = parseJson(text);
  if (typeof body !== 'object' || body === null) throw new RequestError(400, 'the body is not a JSON object');
  return body;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RequestError(400, 'the body is not JSON');
  }
}

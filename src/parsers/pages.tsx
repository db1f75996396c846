import { Hono } from 'hono';
import { z } from 'zod';
import { type ParserRow, ParsersPage, parsersPath } from '../../views/parsers/parsers.tsx';
import { counted, type NoticeProps } from '../../views/parts/parts.tsx';
import { actorOf, recordAudit } from '../audit/audit.ts';
import type { Config } from '../config/settings.ts';
import type { Sql } from '../db/connect.ts';
import { formatTime } from '../records/json.ts';
import { formOf, idParam, integerParam, parseOrRefuse, textParam, valid } from '../validation.ts';
import type { Site } from '../web/site.ts';
import { builtInParsers } from './built-in/parsers.ts';
import { BUILT_IN_LANE, type Lane, laneOf, parserOf } from './parser.ts';
import type { Parsers } from './parsers.ts';
import { countLanes, listSetAside, readAgain, type SetAsideFilter } from './set-aside.ts';

const PAGE_SIZE = 50;
const API_LIMIT = 1_000;

const laneParam = textParam(50).refine(text => text === undefined || /^parse(:[a-z0-9_-]+)?$/.test(text), {
  error: 'expected "parse" or "parse:" with the name of a parser',
}) as z.ZodType<Lane | undefined>;

const listQuery = z.object({
  lane: laneParam,
  before_id: idParam,
  again: integerParam(0, Number.MAX_SAFE_INTEGER),
});
const apiQuery = z.object({ lane: laneParam, before_id: idParam, limit: integerParam(1, API_LIMIT) });
const retryForm = z.object({ id: idParam, lane: laneParam });

/** Which parsers there are, how they are doing, and the records that they failed on. */
export function parsersPages({ sql, config, parsers, frame }: Site) {
  return new Hono()
    .get('/', valid('query', listQuery), async c => {
      const { lane, before_id: beforeId, again } = c.req.valid('query');
      const [described, found] = await Promise.all([
        describeParsers(sql, config, parsers),
        pageOfSetAside(sql, { lane, beforeId }, PAGE_SIZE),
      ]);
      return c.html(
        <ParsersPage
          frame={await frame(c)}
          {...described}
          differing={parsers?.differing() ?? []}
          setAside={found.records.map(record => ({ ...record, parser: parserOf(record.lane) }))}
          only={lane && { lane, by: nameOf(lane) }}
          olderHref={found.next === undefined ? undefined : parsersPath({ lane, before_id: found.next })}
          newerHref={beforeId === undefined ? undefined : parsersPath({ lane })}
          notice={outcome(again)}
        />,
      );
    })
    .post('/retries', async c => {
      const chosen = parseOrRefuse(retryForm, await formOf(c));
      const again = await sql.begin(async tx => {
        const records = await readAgain(tx, chosen);
        await recordAudit(tx, actorOf(c), { action: 'retried', subject: subjectOf(chosen), after: { records } });
        return records;
      });
      return c.redirect(parsersPath({ again }), 303);
    });
}

/**
 * GET /  `{"parsers": […], "built_in": {…}, "set_aside": […], "next": "/api/parsers?…"}`: the parsers, and the records that they
 * failed on, the newest first; `next` is null on the last page.
 */
export function parsersApi({ sql, config, parsers }: Site) {
  return new Hono().get('/', valid('query', apiQuery), async c => {
    const { lane, before_id: beforeId, limit = API_LIMIT } = c.req.valid('query');
    const [{ enabled, builtIn }, found] = await Promise.all([
      describeParsers(sql, config, parsers),
      pageOfSetAside(sql, { lane, beforeId }, limit),
    ]);
    return c.json({
      enabled: enabled.map(({ lane: _, setAside, waiting, reason, ...parser }) => ({
        ...parser,
        reason: reason ?? null,
        waiting: waiting ?? null,
        set_aside: setAside,
      })),
      built_in: { parsers: builtIn.parsers, set_aside: builtIn.setAside },
      elsewhere: parsers?.differing() ?? [],
      set_aside: found.records.map(({ id, lane: of, classification, machineId, receivedAt, error }) => ({
        record_id: id,
        parser: parserOf(of) ?? null,
        classification,
        machine_id: machineId,
        ts_reception: formatTime(receivedAt),
        error,
      })),
      next: found.next === undefined ? null : parsersPath({ lane, before_id: found.next, limit }, '/api/parsers'),
    });
  });
}

async function describeParsers(sql: Sql, config: Config, parsers: Parsers | undefined) {
  const states = parsers?.states() ?? [];
  const [ofBuiltIn, ...counts] = await countLanes(sql, [BUILT_IN_LANE, ...states.map(({ name }) => laneOf(name))]);
  const { lane, setAside } = ofBuiltIn!;
  return {
    enabled: states.map((state, place): ParserRow => ({ ...state, ...counts[place]! })),
    builtIn: {
      parsers: builtInParsers(config).map(({ name, classifications }) => ({ name, classifications })),
      lane,
      setAside,
    },
  };
}

async function pageOfSetAside(sql: Sql, filter: SetAsideFilter, size: number) {
  const found = await listSetAside(sql, filter, size + 1);
  const records = found.slice(0, size);
  return { records, next: found.length > size ? records.at(-1)!.id : undefined };
}

function subjectOf({ id, lane }: z.output<typeof retryForm>) {
  if (id !== undefined) return `record ${id}, for its parser`;
  if (lane === undefined) return 'all records that parsers failed on';
  return `all records that ${nameOf(lane)} failed on`;
}

function nameOf(lane: Lane): string {
  const parser = parserOf(lane);
  return parser === undefined ? 'a built-in parser' : `the parser ${parser}`;
}

function outcome(again: number | undefined): NoticeProps | undefined {
  if (again === undefined) return undefined;
  return { kind: 'done', text: `${counted(again, 'record')} ${again === 1 ? 'waits' : 'wait'} to be read again.` };
}

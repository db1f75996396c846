import { zValidator } from '@hono/zod-validator';
import { Hono } from 'hono';
import { z } from 'zod';
import { crashJson } from '../crashes/record-crash.ts';
import type { Sql } from '../db/connect.ts';
import { RequestError } from '../errors.ts';
import { withParsed } from '../parsers/shown.ts';
import { firstProblem, idParam } from '../validation.ts';
import { API_LIMIT, apiQuery, filterOfApi } from './filter.ts';
import { recordToJson } from './json.ts';
import { findRecord, settledId } from './queries.ts';
import type { Searcher } from './searcher.ts';

/**
 * GET /            newest first, at most 10,000. `{"records": […], "next": "/api/records?…"}`; `next` is null on the
 *                  last page. `settled=true` leaves out ids above which another record may still appear.
 * GET /ID          one record, or 404.
 * Errors are `{"message": "…"}`.
 */
export function recordsApi(sql: Sql, searcher: Searcher) {
  return new Hono()
    .get(
      '/',
      zValidator('query', apiQuery, (result, c) => {
        if (!result.success) return c.json({ message: firstProblem(result.error, result.data) }, 400);
      }),
      async c => {
        const query = c.req.valid('query');
        const filter = filterOfApi(query);
        const limit = query.limit ?? API_LIMIT;
        if (query.settled === 'true')
          filter.beforeId = Math.min(filter.beforeId ?? Number.MAX_SAFE_INTEGER, (await settledId(sql)) + 1);
        const records = await searcher.search(filter, { limit, order: 'newest' });
        const last = records.at(-1);
        return c.json({
          records: await withParsed(sql, records, recordToJson),
          next: last && records.length === limit ? nextPage(c.req.url, last.id) : null,
        });
      },
    )
    .get(
      '/:id',
      zValidator('param', z.object({ id: idParam }), (result, c) => {
        if (!result.success) return c.json({ message: firstProblem(result.error, result.data) }, 400);
      }),
      async c => {
        const { id } = c.req.valid('param');
        const record = await findRecord(sql, id!);
        if (!record) throw new RequestError(404, `there is no record ${id}`);
        const [json] = await withParsed(sql, [record], recordToJson);
        return c.json({ ...json, ...(await crashJson(sql, record)) });
      },
    );
}

function nextPage(url: string, beforeId: number) {
  const { searchParams } = new URL(url);
  searchParams.set('before_id', String(beforeId));
  return `/api/records?${searchParams}`;
}

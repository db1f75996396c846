import { Hono } from 'hono';
import { z } from 'zod';
import type { Sql } from '../db/connect.ts';
import { RequestError } from '../errors.ts';
import { idParam, valid } from '../validation.ts';
import type { Site } from '../web/site.ts';
import { API_LIMIT, apiQuery, filterOfApi } from './filter.ts';
import { recordToJson } from './json.ts';
import type { MadeOfRecords } from './made-of.ts';
import { findRecord, settledId } from './queries.ts';
import type { StoredRecord } from './record.ts';

/** About how long an answer may become, and how many records are written into it at a time. */
const MOST_BYTES = 32 * 1024 ** 2;
const SLICE = 500;

const idParams = z.object({ id: idParam });

/**
 * GET /            newest first, at most 10,000 and about 32 MB. `{"records": […], "next": "/api/records?…"}`; `next` is null on
 *                  the last page. `settled=true` leaves out ids above which another record may still appear.
 * GET /ID          one record, or 404.
 * Errors are `{"message": "…"}`.
 */
export function recordsApi({ sql, searcher, made }: Site) {
  return new Hono()
    .get('/', valid('query', apiQuery), async c => {
      const query = c.req.valid('query');
      const filter = filterOfApi(query);
      const limit = query.limit ?? API_LIMIT;
      if (query.settled === 'true')
        filter.beforeId = Math.min(filter.beforeId ?? Number.MAX_SAFE_INTEGER, (await settledId(sql)) + 1);
      const found = await searcher.search(filter, { limit, order: 'newest', mostBytes: MOST_BYTES });
      const texts = await jsonTexts(sql, found.records, made);
      const last = found.records[texts.length - 1];
      const more = texts.length < found.records.length || found.cut || texts.length === limit;
      const next = last && more ? nextPage(c.req.url, last.id) : null;
      return c.body(`{"records":[${texts.join()}],"next":${JSON.stringify(next)}}`, 200, {
        'Content-Type': 'application/json',
      });
    })
    .get('/:id', valid('param', idParams), async c => {
      const { id } = c.req.valid('param');
      const record = await findRecord(sql, id!);
      if (!record) throw new RequestError(404, `there is no record ${id}`);
      const [json] = await made.withParsed(sql, [record], recordToJson);
      return c.json({ ...json, ...(await made.crashJson(sql, record)) });
    });
}

/** The first of some records as JSON, with what parsers made of them: as many as an answer may hold, but one at least. */
async function jsonTexts(sql: Sql, records: StoredRecord[], { withParsed }: MadeOfRecords): Promise<string[]> {
  const texts: string[] = [];
  let length = 0;
  for (let from = 0; from < records.length; from += SLICE) {
    for (const json of await withParsed(sql, records.slice(from, from + SLICE), recordToJson)) {
      const text = JSON.stringify(json);
      length += text.length;
      if (length > MOST_BYTES && texts.length > 0) return texts;
      texts.push(text);
    }
  }
  return texts;
}

function nextPage(url: string, beforeId: number) {
  const { searchParams } = new URL(url);
  searchParams.set('before_id', String(beforeId));
  return `/api/records?${searchParams}`;
}

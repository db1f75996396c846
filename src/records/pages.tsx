import { zValidator } from '@hono/zod-validator';
import { Hono } from 'hono';
import { z } from 'zod';
import { FILTERS, type FilterValues, recordPath, recordsPath } from '../../views/links.ts';
import { count } from '../../views/parts.tsx';
import { RecordPage } from '../../views/record.tsx';
import { RecordsPage } from '../../views/records.tsx';
import { crashOfRecord } from '../crashes/record-crash.ts';
import type { Sql } from '../db/connect.ts';
import { RequestError } from '../errors.ts';
import type { MakeFrame } from '../frame.ts';
import { idParam, problemsByField } from '../validation.ts';
import { filterOfPage, type PageQuery, pageQuery } from './filter.ts';
import { countNuls } from './json.ts';
import {
  countReceived,
  findNeighbours,
  findRecord,
  listFleets,
  listRecords,
  listRecordsAfter,
  listSystems,
  type RecordFilter,
} from './queries.ts';
import type { StoredRecord } from './record.ts';

const PAGE_SIZE = 50;
/** More of a payload than the list shows, so that it knows whether there is more. */
const PAYLOAD_BEGINNING = 2_500;

export function recordsPages(sql: Sql, frame: MakeFrame) {
  return new Hono()
    .get('/', async c => {
      const raw = c.req.query();
      const filter = filterValues(raw);
      const parsed = pageQuery.safeParse(raw);
      const [systems, fleets] = await Promise.all([listSystems(sql), listFleets(sql)]);
      const common = { frame: await frame(), systems, fleets };
      if (!parsed.success) {
        const errors = problemsByField(parsed.error);
        return c.html(
          <RecordsPage {...common} filter={{ ...filter, errors }} records={[]} found="" pageSize={PAGE_SIZE} />,
          400,
        );
      }
      const query = parsed.data;
      const pageSize = query.per_page ?? PAGE_SIZE;
      const [page, received] = await Promise.all([
        readPage(sql, query, pageSize),
        countReceived(sql, filterOfPage(query)),
      ]);
      return c.html(
        <RecordsPage
          {...common}
          filter={filter}
          records={page.records}
          found={found(received)}
          pageSize={pageSize}
          newerHref={page.newer ? pageHref(filter, 'after_id', page.records[0]) : undefined}
          olderHref={page.older ? pageHref(filter, 'before_id', page.records.at(-1)) : undefined}
        />,
      );
    })
    .get(
      '/record_details/:id',
      zValidator('param', z.object({ id: idParam }), result => {
        if (!result.success) throw new RequestError(400, 'a record is named by its number');
      }),
      async c => {
        const { id } = c.req.valid('param');
        const record = await findRecord(sql, id!);
        if (!record) throw new RequestError(404, `there is no record ${id}`);
        const [{ older, newer }, crash] = await Promise.all([findNeighbours(sql, record), crashOfRecord(sql, record)]);
        return c.html(
          <RecordPage
            frame={await frame()}
            record={record}
            crash={crash}
            details={{
              nulBytes: countNuls(record.payload),
              olderHref: older === null ? undefined : recordPath(older),
              newerHref: newer === null ? undefined : recordPath(newer),
            }}
          />,
        );
      },
    );
}

interface RecordsOnPage {
  records: StoredRecord[];
  newer: boolean;
  older: boolean;
}

/** One record more than the page holds tells whether there is another page in that direction. */
async function readPage(sql: Sql, query: PageQuery, pageSize: number): Promise<RecordsOnPage> {
  const filter: RecordFilter = filterOfPage(query);
  if (query.after_id !== undefined) {
    const found = await listRecordsAfter(sql, query.after_id, filter, pageSize + 1, PAYLOAD_BEGINNING);
    // What lies after a record is shown newest first like any page; short of a full one, it is the first page.
    if (found.length > 0)
      return { records: found.slice(0, pageSize).reverse(), newer: found.length > pageSize, older: true };
  }
  const found = await listRecords(sql, { ...filter, beforeId: query.before_id }, pageSize + 1, PAYLOAD_BEGINNING);
  return { records: found.slice(0, pageSize), newer: query.before_id !== undefined, older: found.length > pageSize };
}

function found(received: number | undefined) {
  if (received === undefined) return 'Newest first';
  return received === 1 ? '1 record received' : `${count(received)} records received`;
}

function pageHref(filter: FilterValues, name: 'before_id' | 'after_id', record: StoredRecord | undefined) {
  const path = recordsPath(filter);
  if (!record) return path;
  return `${path}${path.includes('?') ? '&' : '?'}${name}=${record.id}`;
}

function filterValues(raw: Record<string, string>): FilterValues {
  return Object.fromEntries(FILTERS.filter(name => raw[name]).map(name => [name, raw[name]]));
}

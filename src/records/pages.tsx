import { type Context, Hono } from 'hono';
import { FILTERS, type FilterValues, parsedNames, recordPath, recordsPath } from '../../views/parts/links.ts';
import { FoundCount, NotCounted } from '../../views/records/found.tsx';
import { RecordPage } from '../../views/records/record.tsx';
import { RecordsPage } from '../../views/records/records.tsx';
import { readJournalEntry } from '../dialects/journal-entry.ts';
import { RequestError } from '../errors.ts';
import { checkForm, idInPath, queryOf, valid } from '../validation.ts';
import type { Site } from '../web/site.ts';
import { listClassifications } from './classification-sql.ts';
import { filterOfPage, pageQuery } from './filter.ts';
import { countNuls } from './json.ts';
import { readPage } from './paging.ts';
import { findNeighbours, findRecord, listBuilds, listFleets, listSystems } from './queries.ts';
import type { StoredRecord } from './record.ts';
import { SearchProblem } from './searcher.ts';

const PAGE_SIZE = 50;
/** Records found are counted so far. */
const COUNTED = 10_000;
const SUGGESTIONS = 200;

export function recordsPages({ sql, searcher, made, frame, config }: Site) {
  return new Hono()
    .get('/', async c => {
      const raw = c.req.query();
      const { data: query, errors } = checkForm(pageQuery, queryOf(c));
      if (errors) return await refused(c, 400, errors);
      const pageSize = query.per_page ?? PAGE_SIZE;
      try {
        const [page, found, common] = await Promise.all([
          readPage(searcher, filterOfPage(query), query, pageSize),
          searcher.countQuickly(filterOfPage(query), COUNTED),
          aroundList(c, raw, query.os),
        ]);
        const { filter } = common;
        return c.html(
          <RecordsPage
            {...common}
            records={page.records}
            found={found}
            pageSize={pageSize}
            newerHref={page.newer ? pageHref(filter, 'after_id', page.records[0]) : undefined}
            olderHref={page.older ? pageHref(filter, 'before_id', page.records.at(-1)) : undefined}
          />,
        );
      } catch (error) {
        if (error instanceof SearchProblem) return await refused(c, error.status, { [error.field]: error.message });
        throw error;
      }
    })
    .get('/count', valid('query', pageQuery), async c => {
      const filter = filterOfPage(c.req.valid('query'));
      try {
        return c.html(<FoundCount found={await searcher.count(filter, COUNTED)} />);
      } catch (error) {
        if (error instanceof SearchProblem) return c.html(<NotCounted reason={error.message} />);
        throw error;
      }
    })
    .get('/record_details/:id', async c => {
      const id = idInPath(c.req.param('id'));
      if (id === undefined) throw new RequestError(400, 'a record is named by its number');
      const record = await findRecord(sql, id);
      if (!record) throw new RequestError(404, noRecord(id, config.retention.days));
      const [{ older, newer }, crash, parsed] = await Promise.all([
        findNeighbours(sql, record),
        made.crashOfRecord(sql, record),
        made.parsedOfRecord(sql, record),
      ]);
      return c.html(
        <RecordPage
          frame={await frame(c)}
          record={record}
          crash={crash}
          parsed={parsed}
          details={{
            entry: readJournalEntry(record.payload),
            nulBytes: countNuls(record.payload),
            olderHref: older === null ? undefined : recordPath(older),
            newerHref: newer === null ? undefined : recordPath(newer),
          }}
        />,
      );
    });

  /** What the list stands in, with the values of the form as they came. */
  async function aroundList(c: Context, raw: Record<string, string>, os: string | undefined) {
    const [made, systems, fleets, builds, classifications] = await Promise.all([
      frame(c),
      listSystems(sql),
      listFleets(sql),
      listBuilds(sql, os, SUGGESTIONS),
      listClassifications(sql, SUGGESTIONS),
    ]);
    return { frame: made, systems, fleets, builds, classifications, filter: filterValues(raw) };
  }

  async function refused(c: Context, status: 400 | 503, errors: Record<string, string>) {
    const common = await aroundList(c, c.req.query(), undefined);
    const filter = { ...common.filter, errors };
    return c.html(
      <RecordsPage {...common} filter={filter} records={[]} stopped={status === 503} pageSize={PAGE_SIZE} />,
      status,
    );
  }
}

function noRecord(id: number, keptDays: number) {
  const kept = keptDays === 1 ? 'one day' : `${keptDays} days`;
  return `there is no record ${id}${keptDays === 0 ? '' : `; records are kept ${kept}, unless a rule says otherwise`}`;
}

function pageHref(filter: FilterValues, name: 'before_id' | 'after_id', record: StoredRecord | undefined) {
  const path = recordsPath(filter);
  if (!record) return path;
  return `${path}${path.includes('?') ? '&' : '?'}${name}=${record.id}`;
}

function filterValues(raw: Record<string, string>): FilterValues {
  return Object.fromEntries([...FILTERS, ...parsedNames(raw)].filter(name => raw[name]).map(name => [name, raw[name]]));
}

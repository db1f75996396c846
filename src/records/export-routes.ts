import { Hono } from 'hono';
import { RequestError } from '../errors.ts';
import { choiceParam, valid } from '../validation.ts';
import type { Site } from '../web/site.ts';
import { type ExportFormat, exportRecords, MEDIA_TYPES } from './export.ts';
import { filterOfPage, pageParameters, searchQuery } from './filter.ts';
import { checkExpressions } from './searcher.ts';
import { turns } from './turns.ts';

/** Shown in the browser, an export ends here. */
const INLINE = 10_000;
const AT_ONCE = 4;
const CONNECTIONS = 2 * AT_ONCE;
const MOST_WAITING = 16;
const WAIT_MS = 5_000;
/** Of each slice; a listener waits for the next one no longer than that. */
const DEADLINE_MS = 30_000;

const exportQuery = searchQuery(pageParameters.extend({ download: choiceParam(['1']), bom: choiceParam(['1']) }));

/**
 * GET /records-TIMESTAMP.csv or .ndjson, with the filters of the records page in the query: the newest 10,000 records, or
 * with download=1 all of them as an attachment. With bom=1 Excel reads the CSV as what it is.
 */
export function exportRoutes({ database }: Site) {
  const sql = database.client('export', { connections: CONNECTIONS, deadlineMs: DEADLINE_MS, cancellable: true });
  const takeTurn = turns({
    atOnce: AT_ONCE,
    mostWaiting: MOST_WAITING,
    withinMs: WAIT_MS,
    busy: `${AT_ONCE} exports are under way already; try again when one of them is done`,
  });
  return new Hono().get('/:file', valid('query', exportQuery), async c => {
    const [, format] = /^records[-\w:.]*\.(csv|ndjson)$/.exec(c.req.param('file')) ?? [];
    if (!format) throw new RequestError(404, 'there are exports called records-….csv and records-….ndjson');
    const { download, bom, ...query } = c.req.valid('query');
    const filter = { ...filterOfPage(query), beforeId: query.before_id };
    const options = {
      format: format as ExportFormat,
      limit: download ? Number.POSITIVE_INFINITY : INLINE,
      byteOrderMark: bom !== undefined,
    };
    const endTurn = await takeTurn();
    let stream: ReadableStream;
    try {
      await checkExpressions(sql, filter);
      stream = await exportRecords(sql, database.sql, filter, options, endTurn);
    } catch (error) {
      endTurn();
      throw error;
    }
    return c.body(stream, 200, {
      'Content-Type':
        download || format === 'ndjson' ? MEDIA_TYPES[format as ExportFormat] : 'text/plain; charset=utf-8',
      'Content-Disposition': download ? `attachment; filename="${c.req.param('file')}"` : 'inline',
    });
  });
}

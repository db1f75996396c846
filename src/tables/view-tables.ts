import type { Context } from 'hono';
import { z } from 'zod';
import { RequestError } from '../errors.ts';
import { choiceParam, parseOrRefuse, queryOf, textParam } from '../validation.ts';
import { BYTE_ORDER_MARK, type Cell, csvResponse } from './csv.ts';

/** The tables that a view shows, by name; each row with a value for each column. */
interface ViewTables {
  [table: string]: { columns: readonly string[]; rows: readonly Record<string, Cell>[] };
}

const exportQuery = z.object({ format: choiceParam(['json', 'csv']), table: textParam(40), bom: choiceParam(['1']) });

/**
 * What a view shows, for scripts: as JSON all of its tables, each an array of objects, beside what they are narrowed to;
 * with `format=csv` one of them, by default the first or that of `table=NAME`, with `bom=1` for Excel.
 */
export function viewResponse(c: Context, name: string, narrowedTo: Record<string, Cell>, tables: ViewTables) {
  const { format, table = Object.keys(tables)[0]!, bom } = parseOrRefuse(exportQuery, queryOf(c));
  if (format !== 'csv') {
    const rows = Object.entries(tables).map(([key, { rows }]) => [key, rows]);
    return c.json({ ...narrowedTo, ...Object.fromEntries(rows) });
  }
  if (!Object.hasOwn(tables, table)) {
    const names = Object.keys(tables).map(known => `"${known}"`);
    throw new RequestError(400, `table: got ${JSON.stringify(table)}, expected ${names.join(' or ')}`);
  }
  const { columns, rows } = tables[table]!;
  return csvResponse(
    c,
    `${name}-${table}`,
    columns,
    rows.map(row => columns.map(column => row[column])),
    bom && BYTE_ORDER_MARK,
  );
}

import type { Context } from 'hono';

export type Cell = string | number | boolean | null | undefined;

/** Excel reads CSV as UTF-8 only with this mark. Scripts would read it as part of the first column's name. */
export const BYTE_ORDER_MARK = '\ufeff';

/** Spreadsheets read a cell that begins so as a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/**
 * One line of CSV (RFC 4180) with its line break. A text that a spreadsheet would run as a formula gets an apostrophe
 * in front, which spreadsheets don't show.
 */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(value: Cell): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Answers with a table as CSV: `before`, the column names, then the rows. `name` is the file's name without `.csv`. */
export function csvResponse(
  c: Context,
  name: string,
  columns: readonly string[],
  rows: Iterable<readonly Cell[]>,
  before = '',
) {
  let text = before + csvLine(columns);
  for (const row of rows) text += csvLine(row);
  return c.body(text, 200, {
    'Content-Type': 'text/csv; charset=utf-8; header=present',
    'Content-Disposition': `attachment; filename="${name}.csv"`,
  });
}

import type { Sql } from '../db/connect.ts';
import { isConnectionFailure } from '../db/sqlstates.ts';
import { readPayload } from '../records/queries.ts';
import { builtInFinder } from './built-in/parsers.ts';
import { parsedData } from './data.ts';
import type { BuiltInParser } from './parser.ts';
import { setAside, setFirstAside, takeRecords } from './queue.ts';
import { type ParsedRecord, storeParsed } from './store.ts';

/** Records parsed at a time. */
export const PARSE_BATCH = 500;

/**
 * Lets the built-in parsers read one batch of waiting records in one transaction; returns how many left the queue. Sets
 * a record aside if its parser fails.
 */
export async function parseBatch(sql: Sql, parsers: BuiltInParser[], limit = PARSE_BATCH): Promise<number> {
  const find = builtInFinder(parsers);
  try {
    return await sql.begin(async tx => {
      const { taken, records } = await takeRecords(tx, limit);
      const [parsed, failed]: [ParsedRecord[], Parameters<typeof setAside>[1]] = [[], []];
      for (const record of records) {
        const { id, machineId, receivedAt, classification } = record;
        const key = { id, machineId, receivedAt };
        const parser = find(classification);
        const payload = record.payload ?? (await readPayload(tx, key))?.payload;
        if (!parser || payload === undefined) continue;
        try {
          const data = parsedData(parser.parse(payload));
          if (data) parsed.push({ ...key, parser: parser.name, data });
        } catch (error) {
          failed.push({ ...key, error: (error as Error).message });
        }
      }
      await storeParsed(tx, parsed);
      await setAside(tx, failed);
      return taken;
    });
  } catch (error) {
    if (isConnectionFailure(error)) throw error;
    // Tries single records, so that one that the database refuses does not affect the others.
    if (limit > 1) return parseBatch(sql, parsers, 1);
    await setFirstAside(sql, (error as Error).message);
    return 1;
  }
}

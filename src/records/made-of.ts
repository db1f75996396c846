import type { crashJson, crashOfRecord } from '../crashes/record-crash.ts';
import type { parsedOfRecord, withParsed } from '../parsers/shown.ts';

/** What crash analysis and parsers make of records. They need records themselves, so records are handed it. */
export interface MadeOfRecords {
  crashOfRecord: typeof crashOfRecord;
  crashJson: typeof crashJson;
  parsedOfRecord: typeof parsedOfRecord;
  withParsed: typeof withParsed;
}

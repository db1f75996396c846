import type { crashJson, crashOfRecord } from '../crashes/record-crash.ts';
import type { parsedOfRecord, withParsed } from '../parsers/shown.ts';

/** The results of crash analysis and parsers. Passed to records, because both import records themselves. */
export interface MadeOfRecords {
  crashOfRecord: typeof crashOfRecord;
  crashJson: typeof crashJson;
  parsedOfRecord: typeof parsedOfRecord;
  withParsed: typeof withParsed;
}

import type { RecordFilter } from './filter-sql.ts';
import type { StoredRecord } from './record.ts';
import type { Searcher } from './searcher.ts';

interface RecordsOnPage {
  /** Newest first. */
  records: StoredRecord[];
  newer: boolean;
  older: boolean;
}

/** More of a payload than a list shows, so that the list knows whether it was cut. */
const PAYLOAD_BEGINNING = 2_500;

/**
 * The page of a list that ends before an id, begins after one, or is the first. Reads one record more than a page
 * holds, to know whether there is another page in that direction.
 */
export async function readPage(
  searcher: Searcher,
  filter: RecordFilter,
  { before_id: beforeId, after_id: afterId }: { before_id?: number | undefined; after_id?: number | undefined },
  size: number,
): Promise<RecordsOnPage> {
  const options = { limit: size + 1, payloadBeginning: PAYLOAD_BEGINNING };
  if (afterId !== undefined) {
    const { records: found } = await searcher.search(
      { ...filter, fromId: afterId + 1 },
      { ...options, order: 'oldest' },
    );
    // Records after an id are shown newest first too. If they do not fill a page, the first page is shown.
    if (found.length > 0) return { records: found.slice(0, size).reverse(), newer: found.length > size, older: true };
  }
  const { records: found } = await searcher.search({ ...filter, beforeId }, { ...options, order: 'newest' });
  return { records: found.slice(0, size), newer: beforeId !== undefined, older: found.length > size };
}

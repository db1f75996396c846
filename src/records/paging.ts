import type { RecordFilter } from './filter-sql.ts';
import type { StoredRecord } from './record.ts';
import type { Searcher } from './searcher.ts';

interface RecordsOnPage {
  /** Newest first. */
  records: StoredRecord[];
  newer: boolean;
  older: boolean;
}

/** More of a payload than a list shows, so that it knows whether there is more. */
const PAYLOAD_BEGINNING = 2_500;

/**
 * The page of a list that ends before an id, begins after one, or is the first. One record more than the page holds tells
 * whether there is another page in that direction.
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
    // What lies after a record is shown newest first like any page; short of a full one, it is the first page.
    if (found.length > 0) return { records: found.slice(0, size).reverse(), newer: found.length > size, older: true };
  }
  const { records: found } = await searcher.search({ ...filter, beforeId }, { ...options, order: 'newest' });
  return { records: found.slice(0, size), newer: beforeId !== undefined, older: found.length > size };
}

import { expect, test } from 'bun:test';
import { writeAheadLogSettings } from '../../src/db/write-ahead-log.ts';

const GB = 1024 ** 3;

test.each<[disk: number, most: string, least: string]>([
  [GB / 4, '32MB', '8MB'],
  [GB, '51MB', '12MB'],
  [10 * GB, '512MB', '128MB'],
  [40 * GB, '2048MB', '256MB'],
  [4000 * GB, '2048MB', '256MB'],
])("on a disk of %d bytes PostgreSQL's log takes at most %s", (disk, most, least) => {
  expect(writeAheadLogSettings('', disk)).toEqual({ max_wal_size: most, min_wal_size: least });
});

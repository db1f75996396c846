import type { Frame } from '../views/layout.tsx';
import { summariseQuarantine } from './collector/quarantine.ts';
import type { Sql } from './db/connect.ts';
import { keptRecords } from './records/queries.ts';
import { PROGRAM_VERSION } from './version.ts';

/** Makes what every page needs around its content. */
export type MakeFrame = () => Promise<Frame>;

export function frameMaker(sql: Sql, asset: (name: string) => string): MakeFrame {
  return async () => {
    const [{ entries }, kept] = await Promise.all([summariseQuarantine(sql), keptRecords(sql)]);
    return { asset, version: PROGRAM_VERSION, quarantined: entries, kept, now: new Date() };
  };
}

/** A frame for pages that tell that the database is away. */
export function bareFrame(asset: (name: string) => string): Frame {
  return { asset, version: PROGRAM_VERSION, quarantined: 0, kept: {}, now: new Date() };
}

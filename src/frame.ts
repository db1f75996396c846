import type { Frame } from '../views/layout.tsx';
import { summariseQuarantine } from './collector/quarantine.ts';
import type { Sql } from './db/connect.ts';
import { PROGRAM_VERSION } from './version.ts';

/** Makes what every page needs around its content. */
export type MakeFrame = () => Promise<Frame>;

export function frameMaker(sql: Sql, asset: (name: string) => string): MakeFrame {
  return async () => ({
    asset,
    version: PROGRAM_VERSION,
    quarantined: (await summariseQuarantine(sql)).entries,
    now: new Date(),
  });
}

/** A frame for pages that tell that the database is away. */
export function bareFrame(asset: (name: string) => string): Frame {
  return { asset, version: PROGRAM_VERSION, quarantined: 0, now: new Date() };
}

import type { Context } from 'hono';
import type { Frame } from '../views/layout.tsx';
import { may } from './access/visitor.ts';
import { summariseQuarantine } from './collector/quarantine.ts';
import type { Sql } from './db/connect.ts';
import type { PluginTab } from './plugins/plugin.ts';
import { keptRecords } from './records/queries.ts';
import { PROGRAM_VERSION } from './version.ts';

/** Makes what every page needs around its content. */
export type MakeFrame = (c: Context) => Promise<Frame>;

/** The same for pages that need no database. */
export type BareFrame = (c: Context) => Frame;

export function frameMaker(sql: Sql, asset: (name: string) => string, plugins: () => PluginTab[]): MakeFrame {
  return async c => {
    const [{ entries }, kept] = await Promise.all([summariseQuarantine(sql), keptRecords(sql)]);
    return { ...bareFrame(c, asset), quarantined: entries, kept, plugins: plugins() };
  };
}

/** A frame for pages that need no database. */
export function bareFrame(c: Context, asset: (name: string) => string): Frame {
  const visitor = c.get('visitor');
  return {
    asset,
    version: PROGRAM_VERSION,
    quarantined: 0,
    kept: {},
    now: new Date(),
    visitor: visitor && visitor.via !== 'token' ? visitor : undefined,
    readonly: !may(visitor, 'analyse'),
    plugins: [],
  };
}

import type { OpenIdProvider } from '../access/oidc.ts';
import type { Collector } from '../collector/collector.ts';
import type { Config } from '../config/settings.ts';
import type { Sql } from '../db/connect.ts';
import type { Database } from '../db/database.ts';
import type { Log } from '../log.ts';
import type { Parsers } from '../parsers/parsers.ts';
import type { Plugins } from '../plugins/plugins.ts';
import type { MadeOfRecords } from '../records/made-of.ts';
import type { Searcher } from '../records/searcher.ts';
import type { Watched } from '../status/state.ts';
import type { BareFrame, MakeFrame } from './frame.ts';

/** What pages and API are made from; each module takes what it needs. */
export interface Site {
  config: Config;
  database: Database;
  /** The pool for pages. */
  sql: Sql;
  frame: MakeFrame;
  bare: BareFrame;
  /** The address of a file in static/, with its hash. */
  asset: (name: string) => string;
  log: Log;
  collector: Collector;
  searcher: Searcher;
  made: MadeOfRecords;
  parsers: Parsers | undefined;
  plugins: Plugins | undefined;
  provider: OpenIdProvider | undefined;
  watched: Watched;
  /** Called when crash analysis or a recomputation has something to do. */
  onWork: () => void;
  /** The configuration in force as text, shown to admins. */
  settings: string;
  /** The command that writes sample data into the same database. */
  demoCommand: string;
}

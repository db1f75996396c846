import type { AstrayPosts } from '../collector/astray.ts';
import type { Collector } from '../collector/collector.ts';
import { type Excess, turnedAwayWithin } from '../collector/turned-away.ts';
import type { Config } from '../config/settings.ts';
import { MAX_ATTEMPTS } from '../crashes/queue.ts';
import type { Queryable } from '../db/connect.ts';
import type { Connections } from '../http/connections.ts';
import type { UnreadablePosts } from '../metrics/collector-metrics.ts';
import { lastArrival } from '../overview/queries.ts';
import type { Arrival } from '../overview/silence.ts';
import type { Parsers, ParserTrouble } from '../parsers/parsers.ts';
import type { Plugins } from '../plugins/plugins.ts';
import type { DiskStatus } from '../retention/disk-reserve.ts';
import { largestDatabase } from '../retention/disk-size.ts';
import type { ServedCertificate } from '../tls/certificate.ts';
import { type Job, type JobOutcome, jobOutcomes } from './jobs.ts';
import { type DatabaseState, databaseState } from './queries.ts';

/** What a server is asked about how it is doing. */
export interface Watched {
  config: Config;
  collector: Collector;
  /** Undefined with an external database. */
  disk: () => DiskStatus | undefined;
  certificate: ServedCertificate | undefined;
  /** Undefined where nothing listens. */
  connections: Connections | undefined;
  plugins: Plugins | undefined;
  parsers: Parsers | undefined;
}

/** How the server is doing: what is of this process since it started, and what the database says of all. */
export interface ServerState {
  /** Requests with a known TID by what became of their records. */
  results: Map<string, number>;
  /** Of this process. */
  astray: AstrayPosts;
  unreadablePosts: UnreadablePosts;
  connections: Connections | undefined;
  waitingForCommit: number;
  /** What limits turned away within EXCESS_DAYS. */
  excesses: Excess[];
  database: DatabaseState;
  /** The bytes of retention.max_bytes. */
  largestDatabase: number | undefined;
  jobs: Map<Job, JobOutcome>;
  lastArrival: Arrival | undefined;
  disk: DiskStatus | undefined;
  certificate: { notAfter: Date; refused: string | undefined } | undefined;
  pluginsLeftOut: { name: string; problem: string }[];
  parserTroubles: ParserTrouble[];
}

/** UTC days, the one under way among them. */
export const EXCESS_DAYS = 7;

/** The one source of the status page, /api/status, /metrics and notices. */
export async function serverState(sql: Queryable, watched: Watched): Promise<ServerState> {
  const { config, collector, disk, certificate, connections, plugins, parsers } = watched;
  const [database, jobs, arrival, written, most] = await Promise.all([
    databaseState(sql, MAX_ATTEMPTS),
    jobOutcomes(sql),
    lastArrival(sql),
    turnedAwayWithin(sql, EXCESS_DAYS),
    largestDatabase(config.retention.max_bytes, config.state.dir),
  ]);
  return {
    results: collector.metrics.results(),
    astray: collector.astray.posts(),
    unreadablePosts: collector.metrics.unreadablePosts(),
    connections,
    waitingForCommit: collector.waiting,
    excesses: together([...written, ...collector.limits.unwritten()]),
    database,
    largestDatabase: most,
    jobs,
    lastArrival: arrival,
    disk: disk(),
    certificate: certificate && { notAfter: certificate.state.notAfter, refused: certificate.refused },
    pluginsLeftOut: plugins?.leftOut() ?? [],
    parserTroubles: parsers?.troubles() ?? [],
  };
}

/** Each fleet and kind once. */
function together(excesses: Excess[]): Excess[] {
  const groups = Map.groupBy(excesses, ({ fleet, kind }) => `${kind} ${fleet}`);
  return [...groups.values()].map(group => ({
    ...group[0]!,
    requests: group.reduce((sum, { requests }) => sum + requests, 0),
    lastAt: new Date(Math.max(...group.map(({ lastAt }) => lastAt.getTime()))),
  }));
}

import type { Belief } from '../clock/judge.ts';
import { readBelief } from '../clock/store.ts';
import type { AstrayPosts } from '../collector/astray.ts';
import type { Collector } from '../collector/collector.ts';
import type { UnreadablePosts } from '../collector/metrics.ts';
import { type Excess, turnedAwayWithin } from '../collector/turned-away.ts';
import type { WrongTids } from '../collector/wrong-tids.ts';
import type { Config } from '../config/settings.ts';
import type { Queryable } from '../db/connect.ts';
import type { Connections } from '../http/connections.ts';
import { type Job, type JobOutcome, jobOutcomes } from '../jobs.ts';
import { lastArrival } from '../overview/queries.ts';
import type { Arrival } from '../overview/silence.ts';
import type { Parsers, ParserTrouble } from '../parsers/parsers.ts';
import type { Plugins } from '../plugins/plugins.ts';
import { type ProbeVersions, probeVersions } from '../probe/versions.ts';
import type { DiskStatus } from '../retention/disk-reserve.ts';
import { largestDatabase } from '../retention/disk-size.ts';
import type { ServedCertificate } from '../tls/certificate.ts';
import { within } from '../web/patience.ts';
import { type DatabaseState, databaseState } from './queries.ts';

/** The parts of a server whose state is watched. */
export interface Watched {
  config: Config;
  collector: Collector;
  /** Undefined with an external database. */
  disk: () => DiskStatus | undefined;
  certificate: ServedCertificate | undefined;
  /** Undefined if nothing listens. */
  connections: Connections | undefined;
  plugins: Plugins | undefined;
  parsers: Parsers | undefined;
}

/** What this process knows itself, since it started. */
export interface ProcessState {
  /** Requests with a known TID, counted by result. */
  results: Map<string, number>;
  /** Of this process. */
  astray: AstrayPosts;
  wrongTids: WrongTids;
  unreadablePosts: UnreadablePosts;
  connections: Connections | undefined;
  waitingForCommit: number;
  /** Age of the oldest uncommitted record. */
  waitingSeconds: number;
  disk: DiskStatus | undefined;
  certificate: { notAfter: Date; refused: string | undefined } | undefined;
  pluginsLeftOut: { name: string; problem: string }[];
  parserTroubles: ParserTrouble[];
}

/** The state of the server: of this process, and what the database knows about all. */
export interface ServerState extends ProcessState {
  /** What limits turned away within EXCESS_DAYS. */
  excesses: Excess[];
  database: DatabaseState;
  /** retention.max_bytes in bytes. */
  largestDatabase: number | undefined;
  jobs: Map<Job, JobOutcome>;
  lastArrival: Arrival | undefined;
  clock: Belief;
  probes: ProbeVersions;
}

/** The database did not answer. */
export interface SilentState extends ProcessState {
  database: undefined;
  reason: string;
}

/** UTC days, including today. */
export const EXCESS_DAYS = 7;

/** Status and metrics do not wait longer for the database. */
const ASK_MS = 5_000;

/** The state for callers that always need an answer: without the database's part if that does not come soon. */
export async function stateKnown(sql: Queryable, watched: Watched): Promise<ServerState | SilentState> {
  try {
    return await within(ASK_MS, serverState(sql, watched));
  } catch (error) {
    return { ...processState(watched), database: undefined, reason: (error as Error).message };
  }
}

/** The one source of the status page, /api/status, /metrics and notices. */
export async function serverState(sql: Queryable, watched: Watched): Promise<ServerState> {
  const { config } = watched;
  const [database, jobs, arrival, written, most, clock, probes] = await Promise.all([
    databaseState(sql),
    jobOutcomes(sql),
    lastArrival(sql),
    turnedAwayWithin(sql, EXCESS_DAYS),
    largestDatabase(config.retention.max_bytes, config.state.dir),
    readBelief(sql),
    probeVersions(sql),
  ]);
  return {
    ...processState(watched),
    excesses: together([...written, ...watched.collector.limits.unwritten()]),
    database,
    largestDatabase: most,
    jobs,
    lastArrival: arrival,
    clock: clock.belief,
    probes,
  };
}

function processState({ collector, disk, certificate, connections, plugins, parsers }: Watched): ProcessState {
  return {
    results: collector.metrics.results(),
    astray: collector.astray.posts(),
    wrongTids: collector.wrongTids.seen(),
    unreadablePosts: collector.metrics.unreadablePosts(),
    connections,
    waitingForCommit: collector.waiting,
    waitingSeconds: collector.waitingSeconds,
    disk: disk(),
    certificate: certificate && { notAfter: certificate.state.notAfter, refused: certificate.refused },
    pluginsLeftOut: plugins?.leftOut() ?? [],
    parserTroubles: parsers?.troubles() ?? [],
  };
}

/** Adds up the excesses of each fleet and kind. */
function together(excesses: Excess[]): Excess[] {
  const groups = Map.groupBy(excesses, ({ fleet, kind }) => `${kind} ${fleet}`);
  return [...groups.values()].map(group => ({
    ...group[0]!,
    requests: group.reduce((sum, { requests }) => sum + requests, 0),
    lastAt: new Date(Math.max(...group.map(({ lastAt }) => lastAt.getTime()))),
  }));
}

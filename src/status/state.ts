import type { Belief } from '../clock/judge.ts';
import { readBelief } from '../clock/store.ts';
import type { AstrayPosts } from '../collector/astray.ts';
import type { Collector } from '../collector/collector.ts';
import type { UnreadablePosts } from '../collector/metrics.ts';
import { type Excess, turnedAwayWithin } from '../collector/turned-away.ts';
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

/** What this process knows by itself, since it started. */
export interface ProcessState {
  /** Requests with a known TID by what became of their records. */
  results: Map<string, number>;
  /** Of this process. */
  astray: AstrayPosts;
  unreadablePosts: UnreadablePosts;
  connections: Connections | undefined;
  waitingForCommit: number;
  /** How long the oldest record that is not committed has waited. */
  waitingSeconds: number;
  disk: DiskStatus | undefined;
  certificate: { notAfter: Date; refused: string | undefined } | undefined;
  pluginsLeftOut: { name: string; problem: string }[];
  parserTroubles: ParserTrouble[];
}

/** How the server is doing: that, and what the database says of all. */
export interface ServerState extends ProcessState {
  /** What limits turned away within EXCESS_DAYS. */
  excesses: Excess[];
  database: DatabaseState;
  /** The bytes of retention.max_bytes. */
  largestDatabase: number | undefined;
  jobs: Map<Job, JobOutcome>;
  lastArrival: Arrival | undefined;
  clock: Belief;
  probes: ProbeVersions;
}

/** The database could not be asked. */
export interface SilentState extends ProcessState {
  database: undefined;
  reason: string;
}

/** UTC days, the one under way among them. */
export const EXCESS_DAYS = 7;

/** Whoever asks for the status or metrics waits no longer for the database. */
const ASK_MS = 5_000;

/** The state for who must have an answer: where the database does not give one soon, what is known without it. */
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

/** Each fleet and kind once. */
function together(excesses: Excess[]): Excess[] {
  const groups = Map.groupBy(excesses, ({ fleet, kind }) => `${kind} ${fleet}`);
  return [...groups.values()].map(group => ({
    ...group[0]!,
    requests: group.reduce((sum, { requests }) => sum + requests, 0),
    lastAt: new Date(Math.max(...group.map(({ lastAt }) => lastAt.getTime()))),
  }));
}

import type { Belief } from '../clock/judge.ts';
import { readBelief } from '../clock/store.ts';
import type { Collector } from '../collector/collector.ts';
import { type Excess, turnedAwayWithin } from '../collector/turned-away.ts';
import type { Config } from '../config/settings.ts';
import { MAX_ATTEMPTS } from '../crashes/queue.ts';
import type { Queryable } from '../db/connect.ts';
import { lastArrival } from '../overview/queries.ts';
import type { Arrival } from '../overview/silence.ts';
import type { Parsers, ParserTrouble } from '../parsers/parsers.ts';
import type { Plugins } from '../plugins/plugins.ts';
import type { DiskStatus } from '../retention/disk-reserve.ts';
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
  plugins: Plugins | undefined;
  parsers: Parsers | undefined;
}

/** How the server is doing: what is of this process since it started, and what the database says of all. */
export interface ServerState {
  /** Requests with a known TID by what became of their records. */
  results: Map<string, number>;
  waitingForCommit: number;
  /** What limits turned away within EXCESS_DAYS. */
  excesses: Excess[];
  database: DatabaseState;
  jobs: Map<Job, JobOutcome>;
  lastArrival: Arrival | undefined;
  clock: Belief;
  disk: DiskStatus | undefined;
  certificate: { notAfter: Date; refused: string | undefined } | undefined;
  pluginsLeftOut: { name: string; problem: string }[];
  parserTroubles: ParserTrouble[];
}

/** UTC days, the one under way among them. */
export const EXCESS_DAYS = 7;

/** The one source of the status page, /api/status, /metrics and notices. */
export async function serverState(sql: Queryable, watched: Watched): Promise<ServerState> {
  const { collector, disk, certificate, plugins, parsers } = watched;
  const [database, jobs, arrival, written, clock] = await Promise.all([
    databaseState(sql, MAX_ATTEMPTS),
    jobOutcomes(sql),
    lastArrival(sql),
    turnedAwayWithin(sql, EXCESS_DAYS),
    readBelief(sql),
  ]);
  return {
    results: collector.metrics.results(),
    waitingForCommit: collector.waiting,
    excesses: together([...written, ...collector.limits.unwritten()]),
    database,
    jobs,
    lastArrival: arrival,
    clock: clock.belief,
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

import { count, counted, size } from '../../views/parts/parts.tsx';
import { clockFinding } from '../clock/finding.ts';
import type { Config } from '../config/settings.ts';
import type { Connections } from '../http/connections.ts';
import { hasStopped } from '../overview/silence.ts';
import { PROBE_VERSION } from '../probe/files.ts';
import { outdated } from '../probe/versions.ts';
import { ago } from '../time/ago.ts';
import { WHERE_RECORDS_GO } from '../web/addresses.ts';
import type { Check, Finding } from './check.ts';
import { backupFinding, certificateFinding, diskFinding, jobFinding } from './findings.ts';
import { QUEUED_COUNTED_AT_MOST } from './queries.ts';
import { EXCESS_DAYS, type ProcessState, type ServerState, type SilentState } from './state.ts';

const LATE_SECONDS = 300;
const VERY_LATE_SECONDS = 3_600;
const UNCOUNTED_SECONDS = 60;
/** Machines whose records waited longer were asked to send them again. */
export const UNCOMMITTED_SECONDS = 10;
const LATELY_MS = 3_600_000;
const NEARLY_FULL = 0.9;
/** How many versions of the probe are named. */
const VERSIONS = 5;

/** Remedies for machines beyond a limit, a silent database, and refused records. */
export const LIMITS_REMEDY =
  'See whether these machines send more than they should, or raise their limits in collector.tids.';
export const SILENCE_REMEDY = 'See the log of this server, and whether the database runs and has room.';
export const QUARANTINE_REMEDY = 'See why they are refused, and replay them once the cause is fixed.';

const PROBES_REMEDY =
  'Run the installer of Connect machines again where the version is older; the next daily heartbeat of a machine shows its new version.';

/** Paths that answer even while the database does not. */
export function tellsOfSilence(path: string): boolean {
  return /^(\/metrics|\/api\/status|\/telemetryui\/status)$/.test(path);
}

export function isLately(at: Date, now: Date): boolean {
  return now.getTime() - at.getTime() < LATELY_MS;
}

/** Its oldest entries are about to be removed. */
export function isQuarantineNearlyFull({ database }: ServerState, { quarantine: most }: Config): boolean {
  return (
    database.quarantined >= most.max_records * NEARLY_FULL || database.quarantinedBytes >= most.max_bytes * NEARLY_FULL
  );
}

/** The checks of a server, in the order of the page. */
export function checksOf(state: ServerState | SilentState, config: Config, now = new Date()): Check[] {
  const asked = state.database && state;
  const findings: [name: string, finding: Finding | undefined][] = [
    ['Data', asked && data(asked, now)],
    ['Records', records(state)],
    ['Probes', asked && probes(asked)],
    ['Addresses', addresses(state, now)],
    ['TIDs', tids(state, now)],
    ['Requests', requests(state, now)],
    ['Connections', state.connections && connections(state.connections, now)],
    ['Queue', queue(state, config)],
    ['Counters', asked && counters(asked)],
    ['Limits', asked && limits(asked, now)],
    ['Quarantine', asked && quarantine(asked, config)],
    ['Crash analysis', asked && analysis(asked)],
    ['Payloads', asked && payloads(asked)],
    ['Parsers', parsers(state, config)],
    ['Disk', state.disk && diskFinding(state.disk)],
    ['Database', state.database ? database(state) : silence(state)],
    ['Clock', asked && clockFinding(asked.clock)],
    ['Purge', asked && jobFinding(asked.jobs.get('purge'), config.retention.schedule, now)],
    ['Backup', asked && backupFinding(asked.jobs.get('backup'), config, now)],
    ['Certificate', state.certificate && certificateFinding(state.certificate, now)],
    ['Plugins', plugins(state, config)],
  ];
  return findings.flatMap(([name, finding]) => (finding ? { name, ...finding } : []));
}

function data({ lastArrival }: ServerState, now: Date): Finding {
  if (!lastArrival) return { level: 'ok', text: 'No record has arrived yet.' };
  const text = `The last record came ${ago(lastArrival.at, now)}.`;
  if (!hasStopped(lastArrival, now)) return { level: 'ok', text };
  return {
    level: 'warning',
    text: `Records stopped coming. ${text}`,
    remedy: 'Check whether machines still reach this server.',
  };
}

/** For this process; `unavailable` counts records that could not be committed in time. */
function records({ results }: ProcessState): Finding {
  if (results.size === 0) return { level: 'ok', text: 'None since the server started.' };
  const parts = [...results].map(([result, n]) => `${count(n)} ${result}`);
  const text = `Since the server started: ${parts.join(', ')}.`;
  return { level: 'ok', text };
}

/** Undefined if no machine runs the probe. */
function probes({ probes }: ServerState): Finding | undefined {
  const { since, versions } = probes;
  if (versions.length === 0) return undefined;
  const shown = versions
    .slice(0, VERSIONS)
    .map(({ version, machines }) => `${counted(machines, 'machine')} with version ${version}`);
  const others = versions.length > VERSIONS ? [`${counted(versions.length - VERSIONS, 'older version')} besides`] : [];
  const text =
    `${[...shown, ...others].join(', ')}. These are the heartbeats since ${since.toISOString().slice(0, 16).replace('T', ' ')} UTC, one a day from each ` +
    `machine. This server carries version ${PROBE_VERSION}.`;
  if (outdated(probes).length === 0) return { level: 'ok', text };
  return { level: 'warning', text, remedy: PROBES_REMEDY };
}

/** Posts without a TID come from people who try the server or look for weak spots: no reason to worry. */
function addresses({ astray: { withTid, others, lastWithTid: last } }: ProcessState, now: Date): Finding | undefined {
  if (withTid + others === 0) return undefined;
  const without = `${counted(others, 'POST')} without a TID`;
  if (!last) return { level: 'ok', text: `Since the server started, ${without} came to paths that take no records.` };
  const text =
    `Since the server started, ${counted(withTid, 'POST')} with a TID came to paths that take no records, the last to ${last.path} ` +
    `${ago(last.at, now)}${others > 0 ? `; and ${without}` : ''}.`;
  if (!isLately(last.at, now)) return { level: 'ok', text };
  return {
    level: 'warning',
    text,
    reason: last.address === null ? undefined : `The last came from ${last.address}.`,
    remedy: `Correct the address of the server on these machines: ${WHERE_RECORDS_GO}.`,
  };
}

function tids({ wrongTids: { withTid, without, lastWithTid: last } }: ProcessState, now: Date): Finding | undefined {
  if (withTid + without === 0) return undefined;
  const missing = `${counted(without, 'request')} had no TID`;
  if (!last) return { level: 'ok', text: `Since the server started, ${missing}.` };
  const text =
    `Since the server started, ${counted(withTid, 'request')} had a TID that is unknown here, the last ${last.tid} ` +
    `${ago(last.at, now)}${without > 0 ? `; ${missing}` : ''}.`;
  if (!isLately(last.at, now)) return { level: 'ok', text };
  return {
    level: 'warning',
    text,
    reason: last.address === null ? undefined : `The last came from ${last.address}.`,
    remedy: 'Correct the TID on these machines, see Connect machines, or add it to collector.tids.',
  };
}

/** Such machines get an error and send the same record again until someone helps. */
function requests({ unreadablePosts: { requests, last } }: ProcessState, now: Date): Finding | undefined {
  const [newest] = last;
  if (!newest) return undefined;
  const text = `Since the server started, ${counted(requests, 'POST request')} could not be read, the last ${ago(newest.at, now)}.`;
  if (!isLately(newest.at, now)) return { level: 'ok', text };
  return {
    level: 'warning',
    text,
    reason: last
      .map(({ address, reason, at }) => `${at.toISOString()} ${address ?? 'a unix socket'}: ${reason}`)
      .join('\n'),
    remedy:
      'Find out what sends them from these addresses: a machine that is refused like this keeps its records until they expire.',
  };
}

function connections({ open, most, refused, lastRefusedAt }: Connections, now: Date): Finding {
  const text = `${count(open)} of at most ${count(most)} are open.`;
  if (!lastRefusedAt) return { level: 'ok', text };
  const came = `${text} ${counted(refused, 'connection')} had to be closed, the last ${ago(lastRefusedAt, now)}.`;
  if (!isLately(lastRefusedAt, now)) return { level: 'ok', text: came };
  return {
    level: 'warning',
    text: came,
    remedy:
      'Find out who opens so many, or let the service open more files (LimitNOFILE in "systemctl edit telemetricsd").',
  };
}

/** Counting follows within a second or two, so this is shown only if it does not. */
function counters({ database: { uncountedSeconds } }: ServerState): Finding | undefined {
  if (uncountedSeconds <= UNCOUNTED_SECONDS) return undefined;
  return {
    level: 'warning',
    text: `Charts lack records: the oldest uncounted one has waited ${seconds(uncountedSeconds)}.`,
    remedy: 'The log says why. Nothing is lost: they are counted once the cause is gone.',
  };
}

function queue({ waitingForCommit, waitingSeconds }: ProcessState, { collector }: Config): Finding {
  const text = `${counted(waitingForCommit, 'record')} of at most ${count(collector.queue)} wait to be committed.`;
  const remedy = 'Machines are answered 503 and send their records again: find out what slows the database down.';
  if (waitingSeconds > UNCOMMITTED_SECONDS) {
    const oldest = `The oldest record that could not be committed came ${seconds(waitingSeconds)} ago.`;
    return { level: 'error', text: `${oldest} ${text}`, remedy };
  }
  return waitingForCommit < collector.queue * NEARLY_FULL ? { level: 'ok', text } : { level: 'error', text, remedy };
}

function limits({ excesses }: ServerState, now: Date): Finding {
  if (excesses.length === 0) return { level: 'ok', text: `No record was turned away within ${EXCESS_DAYS} days.` };
  const text = excesses.map(
    ({ fleet, kind, requests, lastAt }) =>
      `${counted(requests, 'record')} of ${fleet} ${kind}, last ${ago(lastAt, now)}`,
  );
  const lately = excesses.some(({ lastAt }) => isLately(lastAt, now));
  return {
    level: lately ? 'warning' : 'ok',
    text: `Turned away within ${EXCESS_DAYS} days: ${text.join('; ')}.`,
    remedy: lately ? LIMITS_REMEDY : undefined,
  };
}

function quarantine(state: ServerState, config: Config): Finding {
  const { quarantined, quarantinedBytes, quarantinedLately } = state.database;
  if (quarantined === 0) return { level: 'ok', text: 'Empty: every record was understood.' };
  const text = `${counted(quarantined, 'refused record')} (${size(quarantinedBytes)}), ${count(quarantinedLately)} of them new within the hour.`;
  if (isQuarantineNearlyFull(state, config))
    return {
      level: 'warning',
      text,
      remedy: 'It is nearly full, and the oldest entries are about to be removed: replay or discard what is there.',
    };
  if (quarantinedLately === 0) return { level: 'ok', text };
  return { level: 'warning', text, remedy: QUARANTINE_REMEDY };
}

function analysis({ database: { waiting, waitingSeconds, failed } }: ServerState): Finding {
  const behind =
    waiting === 0
      ? 'Every crash is analysed.'
      : `${queued(waiting, 'crash record')} ${waiting === 1 ? 'waits' : 'wait'}, the oldest for ${seconds(waitingSeconds)}.`;
  const text = failed === 0 ? behind : `${behind} ${queued(failed, 'record')} could not be analysed.`;
  if (waitingSeconds > VERY_LATE_SECONDS)
    return { level: 'error', text, remedy: 'The log says why. Restart the service to start analysis again.' };
  if (waitingSeconds > LATE_SECONDS)
    return { level: 'warning', text, remedy: 'Analysis catches up unless this number grows.' };
  if (failed === 0) return { level: 'ok', text };
  return {
    level: 'warning',
    text,
    remedy: 'The page Crashes lists them under "could not be analysed"; try them again there.',
  };
}

function queued(n: number, noun: string): string {
  return n < QUEUED_COUNTED_AT_MOST ? counted(n, noun) : `${counted(n, noun)} or more`;
}

function payloads({ database: { parsing, parsingFailed } }: ServerState): Finding {
  const behind =
    parsing === 0
      ? 'Every payload that has a parser is read.'
      : `${queued(parsing, 'record')} ${parsing === 1 ? 'waits' : 'wait'} for a parser.`;
  if (parsingFailed === 0) return { level: 'ok', text: behind };
  return {
    level: 'warning',
    text: `${behind} Parsers failed on ${queued(parsingFailed, 'record')}.`,
    remedy: 'The page Parsers says why. Once the parser is fixed, let it read them again.',
  };
}

function parsers({ parserTroubles }: ProcessState, { parsers: { enabled } }: Config): Finding | undefined {
  if (parserTroubles.length === 0)
    return enabled.length === 0 ? undefined : { level: 'ok', text: 'All enabled parsers work.' };
  return {
    level: 'error',
    text: `Not working: ${parserTroubles.map(({ name }) => name).join(', ')}.`,
    reason: parserTroubles.map(({ name, reason }) => `${name}: ${reason}`).join('\n'),
    remedy: 'Fix them and send the server SIGHUP, or restart it.',
  };
}

function database({ database: { databaseBytes }, largestDatabase: most }: ServerState): Finding {
  const text = `${size(databaseBytes)}${most === undefined ? '' : ` of at most ${size(most)}`}.`;
  if (most === undefined || databaseBytes <= most) return { level: 'ok', text };
  return {
    level: 'warning',
    text,
    remedy:
      'The next purge removes the oldest days that no rule keeps for ever. Counters count towards the limit, but stay.',
  };
}

function silence({ reason }: SilentState): Finding {
  return { level: 'error', text: 'It does not answer.', reason, remedy: SILENCE_REMEDY };
}

function plugins({ pluginsLeftOut }: ProcessState, { plugins: { enabled } }: Config): Finding | undefined {
  if (pluginsLeftOut.length === 0)
    return enabled.length === 0 ? undefined : { level: 'ok', text: 'All enabled plugins are loaded.' };
  return {
    level: 'error',
    text: `Could not be loaded: ${pluginsLeftOut.map(({ name }) => name).join(', ')}.`,
    reason: pluginsLeftOut.map(({ name, problem }) => `${name}: ${problem}`).join('\n'),
    remedy: 'Fix them and send the server SIGHUP, or restart it.',
  };
}

function seconds(n: number): string {
  return n < 120 ? `${Math.round(n)} s` : `${Math.round(n / 60)} min`;
}

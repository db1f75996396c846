import type { Sql } from '../db/connect.ts';
import type { Log } from '../log.ts';
import { newGuilties } from '../overview/queries.ts';
import { serverState, type Watched } from '../status/state.ts';
import { HOUR_MS } from '../time/units.ts';
import { type Channel, channelsOf } from './channels.ts';
import { claimNotice, noteLasting, releaseNotice } from './claims.ts';
import { databaseSilent, type Notice, noticeJson, noticesOf } from './notice.ts';

interface NotifierOptions {
  /** Of its own: nothing else waits for it. */
  sql: Sql;
  watched: Watched;
  log: Log;
  deadlineMs?: number;
  /** Before each further attempt. */
  pausesMs?: number[];
}

interface Notifier {
  /** Looks now; resolves once it is known what is to be sent, which goes on by itself, or that the database can't be asked. */
  look(): Promise<void>;
  /** Gives up what is under way. */
  stop(): Promise<void>;
}

const LOOK_MS = 60_000;
const LOOK_DEADLINE_MS = 30_000;
/** In a row. One or two fall into a restart of the database, which nobody needs to be told. */
const FAILED_LOOKS = 3;
const PAUSES_MS = [2_000, 10_000, 60_000, 300_000];
const GUILTIES = 20;

/** Looks every minute whether there is something that admins are to know; undefined where nobody wants to. */
export function startNotifier({
  sql,
  watched,
  log,
  deadlineMs,
  pausesMs = PAUSES_MS,
}: NotifierOptions): Notifier | undefined {
  const { config } = watched;
  const { repeat_hours, hourly, guilty_machines } = config.notify;
  const channels = channelsOf(config, deadlineMs);
  if (channels.length === 0) return undefined;
  const stopping = new AbortController();
  const underWay = new Set<Promise<unknown>>();

  let failedLooks = 0;
  /** By the clock of this process: the database, which keeps it for other notices, is what is away. */
  const silence = channels.map(channel => ({ channel, told: { at: Number.NEGATIVE_INFINITY } }));
  let looking: Promise<void> | undefined;

  async function look() {
    try {
      looking ??= lookOnce().finally(() => {
        looking = undefined;
      });
      await Promise.race([looking, pauseFor(LOOK_DEADLINE_MS, stopping.signal).then(giveUp)]);
      failedLooks = 0;
    } catch (error) {
      if (stopping.signal.aborted) return;
      const reason = (error as Error).message;
      log.limited('notices', 'warn', 'could not look for notices', { reason });
      if (++failedLooks >= FAILED_LOOKS) tellOfSilence(reason);
    }
  }

  async function lookOnce() {
    const state = await serverState(sql, watched);
    const fresh = guilty_machines > 0 ? await newGuilties(sql, GUILTIES) : [];
    const notices = noticesOf(state, [...fresh], config);
    for (const notice of notices) {
      const { subject } = notice;
      const frequency = { repeatHours: notice.once ? undefined : repeat_hours, hourly };
      for (const channel of channels) {
        if (stopping.signal.aborted || !(await claimNotice(sql, channel.name, subject, frequency))) continue;
        send(notice, channel, () => releaseNotice(sql, channel.name, subject).catch(() => {}));
      }
    }
    await noteLasting(
      sql,
      notices.map(({ subject }) => subject),
    );
  }

  function tellOfSilence(reason: string) {
    const now = performance.now();
    const notice = databaseSilent((failedLooks * LOOK_MS) / 60_000, reason);
    for (const { channel, told } of silence) {
      if (now - told.at < repeat_hours * HOUR_MS) continue;
      told.at = now;
      send(notice, channel, () => {
        told.at = Number.NEGATIVE_INFINITY;
      });
    }
  }

  /** In the background. */
  function send(notice: Notice, channel: Channel, untold: () => unknown) {
    const { subject } = notice;
    const sending = attempts(channel, notice, noticeJson(notice, config))
      .then(told => (told ? log.info('admins were told', { by: channel.name, subject }) : untold()))
      .finally(() => underWay.delete(sending));
    underWay.add(sending);
  }

  /** Whether it got through. */
  async function attempts(channel: Channel, { subject }: Notice, json: string): Promise<boolean> {
    for (const pause of [...pausesMs, undefined]) {
      try {
        await channel.send(json, stopping.signal);
        return true;
      } catch (error) {
        if (stopping.signal.aborted) return false;
        const level = pause === undefined ? 'error' : 'warn';
        log[level]('a notice was not taken', { by: channel.name, subject, reason: (error as Error).message });
        if (pause !== undefined) await pauseFor(pause, stopping.signal);
      }
    }
    return false;
  }

  const timer = setInterval(look, LOOK_MS);
  return {
    look,
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await Promise.all(underWay);
    },
  };
}

function giveUp(): never {
  throw new Error(`no answer within ${LOOK_DEADLINE_MS / 1000} s`);
}

/** Resolves at once where `stopped` is, or becomes, aborted. */
function pauseFor(ms: number, stopped: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (stopped.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      stopped.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    stopped.addEventListener('abort', end);
  });
}

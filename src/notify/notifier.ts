import type { Sql } from '../db/connect.ts';
import type { Log } from '../log.ts';
import { newGuilties } from '../overview/queries.ts';
import { serverState, type Watched } from '../status/state.ts';
import { type Channel, channelsOf } from './channels.ts';
import { claimNotice, releaseNotice } from './claims.ts';
import { type Notice, noticeJson, noticesOf } from './notice.ts';

export interface NotifierOptions {
  /** Of its own: nothing else waits for it. */
  sql: Sql;
  watched: Watched;
  log: Log;
  deadlineMs?: number;
  /** Before each further attempt. */
  pausesMs?: number[];
}

export interface Notifier {
  /** Looks now; resolves once it is known what is to be sent, which goes on by itself. */
  look(): Promise<void>;
  /** Gives up what is under way. */
  stop(): Promise<void>;
}

const LOOK_MS = 60_000;
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
  const underWay = new Set<Promise<void>>();

  async function look() {
    const state = await serverState(sql, watched);
    const fresh = guilty_machines > 0 ? await newGuilties(sql, GUILTIES) : [];
    for (const notice of noticesOf(state, [...fresh], config)) {
      const repeatHours = notice.once ? undefined : repeat_hours;
      if (stopping.signal.aborted || !(await claimNotice(sql, notice.subject, { repeatHours, hourly }))) continue;
      const sending = send(notice).finally(() => underWay.delete(sending));
      underWay.add(sending);
    }
  }

  async function send(notice: Notice) {
    const json = noticeJson(notice, config);
    const told = await Promise.all(channels.map(channel => attempts(channel, notice, json)));
    if (told.includes(true)) log.info('admins were told', { subject: notice.subject });
    else await releaseNotice(sql, notice.subject).catch(() => {});
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

  const lookSafely = () =>
    look().catch(error => log.limited('notices', 'warn', 'could not look for notices', { reason: error.message }));
  const timer = setInterval(lookSafely, LOOK_MS);
  return {
    look,
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await Promise.all(underWay);
    },
  };
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

import type { Log } from '../log.ts';
import { quoted } from './fields.ts';

/** Requests for records that were refused for their TID, since this process started. */
export interface WrongTids {
  /** With a TID: machines whose configuration is wrong. Those without may be anyone who tries addresses. */
  withTid: number;
  without: number;
  lastWithTid: { tid: string; address: string | null; at: Date } | undefined;
}

export interface WrongTidWatch {
  /** Says to the sender why it is refused. */
  refuse(tid: string | undefined, address: string | null): string;
  seen(): WrongTids;
}

/** Each has a line of its own in the log, once a minute; a stranger may try any number. */
const TIDS_TOLD_APART = 50;

export function watchWrongTids(log: Log): WrongTidWatch {
  const tids = new Set<string>();
  const wrong: WrongTids = { withTid: 0, without: 0, lastWithTid: undefined };
  return {
    refuse(tid, address) {
      const got = tid === undefined ? 'missing' : `got ${quoted(tid)}`;
      const reason = `X-Telemetry-TID: ${got}, expected a TID that this server is configured for (collector.tids)`;
      if (tids.size < TIDS_TOLD_APART) tids.add(got);
      log.limited(`refused TID ${tids.has(got) ? got : ''}`, tid === undefined ? 'info' : 'warn', 'refused a record', {
        field: 'X-Telemetry-TID',
        reason,
        address,
      });
      if (tid === undefined) wrong.without++;
      else {
        wrong.withTid++;
        wrong.lastWithTid = { tid: quoted(tid), address, at: new Date() };
      }
      return reason;
    },
    seen: () => ({ ...wrong }),
  };
}

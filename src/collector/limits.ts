import { networkMatcher } from '../config/network.ts';
import type { Tid } from '../config/tid.ts';
import type { Sql } from '../db/connect.ts';
import type { Fleet } from '../fleets.ts';
import type { Log } from '../log.ts';
import { type TokenBucket, tokenBucket } from '../token-bucket.ts';
import { type Quota, quota, storedByHour } from './quota.ts';
import { addTurnedAway, type Excess, type ExcessOfDay, type TurnedAway } from './turned-away.ts';

/** The limits of all TIDs that have some. */
export interface Limits {
  /**
   * Whether a request is turned away now, and why; a request that passes counts against its rate. The address is null
   * on a unix socket.
   */
  turnAway(fleet: Fleet, address: () => string | null): TurnedAway | undefined;
  /** Logs and counts a request that was turned away for another reason than its limits. */
  report(fleet: Fleet, turned: TurnedAway, address: () => string | null): void;
  /** Counts a stored record against its fleet's quota. */
  stored(fleet: Fleet): void;
  /** Counts the quotas again from the database, which includes earlier runs and other servers. */
  recount(): Promise<void>;
  /** What was turned away since this process started. */
  excesses(): Excess[];
  /** The part of it that is not stored in the database yet. */
  unwritten(): Excess[];
  /** Stores it in the database: each minute, and at the end. */
  writeDown(): Promise<void>;
}

const RATE_RETRY_SECONDS = 5;
const QUOTA_RETRY_SECONDS = 120;

interface LimitedTid extends Tid {
  isAllowed: ((address: string) => boolean) | undefined;
  bucket: TokenBucket | undefined;
  quota: Quota | undefined;
}

/** The limits of the configured TIDs, with what is already used of their quotas. */
export async function openLimits(sql: Sql, tids: Tid[], fleets: Map<string, Fleet>, log: Log): Promise<Limits> {
  const limited = new Map(tids.filter(hasLimit).map(tid => [tid.id, withState(tid)]));
  const counted = [...limited.values()].flatMap(({ id, quota }) =>
    quota ? [{ fleetId: fleets.get(id)!.id, quota }] : [],
  );
  const excesses = new Map<string, Excess>();
  let unwritten = new Map<string, ExcessOfDay & { fleet: string }>();
  await recount();

  function turnAway(fleet: Fleet, address: () => string | null): TurnedAway | undefined {
    const tid = limited.get(fleet.tid);
    const turned = tid && (wrongNetwork(tid, address) ?? tooMany(tid));
    if (turned) report(fleet, turned, address);
    return turned;
  }

  function report(fleet: Fleet, { kind, message }: TurnedAway, address: () => string | null) {
    const key = `${kind} ${fleet.name}`;
    const one = { fleet: fleet.name, kind, requests: 1, lastAt: new Date() };
    excesses.set(key, { ...one, requests: (excesses.get(key)?.requests ?? 0) + 1 });
    note({ ...one, fleetId: fleet.id, day: one.lastAt.toISOString().slice(0, 10) });
    log.limited(`limits ${key}`, 'warn', 'turned away records of a fleet', {
      fleet: fleet.name,
      result: kind,
      reason: message,
      address: address(),
    });
  }

  function note(excess: ExcessOfDay & { fleet: string }) {
    const key = `${excess.day} ${excess.kind} ${excess.fleetId}`;
    const before = unwritten.get(key);
    unwritten.set(key, before ? { ...excess, requests: before.requests + excess.requests } : excess);
  }

  async function writeDown() {
    if (unwritten.size === 0) return;
    const writing = [...unwritten.values()];
    unwritten = new Map();
    try {
      await addTurnedAway(sql, writing);
    } catch (error) {
      for (const excess of writing) note(excess);
      throw error;
    }
  }

  async function recount() {
    if (counted.length === 0) return;
    const fleetIds = counted.map(({ fleetId }) => fleetId);
    const byFleet = Map.groupBy(await storedByHour(sql, fleetIds), row => row.fleetId);
    for (const { fleetId, quota } of counted) {
      quota.replace(new Map(byFleet.get(fleetId)?.map(({ hour, records }) => [hour.getTime(), records])));
    }
  }

  return {
    turnAway,
    report,
    stored: fleet => limited.get(fleet.tid)?.quota?.add(Date.now()),
    recount,
    excesses: () => [...excesses.values()],
    unwritten: () => [...unwritten.values()],
    writeDown,
  };
}

function hasLimit({ rate, daily, networks }: Tid) {
  return rate !== undefined || daily !== undefined || networks !== undefined;
}

function withState(tid: Tid): LimitedTid {
  return {
    ...tid,
    isAllowed: tid.networks && networkMatcher(tid.networks),
    bucket: tid.rate === undefined ? undefined : tokenBucket(tid.rate),
    quota: tid.daily === undefined ? undefined : quota(tid.daily),
  };
}

/** The message does not name the allowed networks, since anyone may ask. */
function wrongNetwork({ isAllowed }: LimitedTid, address: () => string | null): TurnedAway | undefined {
  if (!isAllowed) return undefined;
  const from = address();
  if (from !== null && isAllowed(from)) return undefined;
  const came = from === null ? 'no address, since this came through a unix socket' : from;
  return {
    kind: 'forbidden',
    message: `address: got ${came}, expected one in the networks of this TID (networks in collector.tids)`,
  };
}

function tooMany(tid: LimitedTid): TurnedAway | undefined {
  if (tid.quota && !tid.quota.hasRoom(Date.now())) {
    const reason = `the ${tid.daily} records that this TID may send in 24 hours are used up (daily in collector.tids)`;
    return excess(tid, reason, QUOTA_RETRY_SECONDS);
  }
  if (tid.bucket && !tid.bucket.take(performance.now())) {
    const reason = `this TID may send ${tid.rate} records a second and sends more (rate in collector.tids)`;
    return excess(tid, reason, RATE_RETRY_SECONDS);
  }
  return undefined;
}

function excess({ over }: LimitedTid, reason: string, retryAfterSeconds: number): TurnedAway {
  if (over === 'drop') return { kind: 'dropped', message: `${reason}; this one is dropped: do not send it again` };
  return { kind: 'postponed', message: `${reason}; send this one again later`, retryAfterSeconds };
}

import type { Config } from '../config/settings.ts';
import { startCounting } from '../counters/counting.ts';
import type { Sql } from '../db/connect.ts';
import type { Database } from '../db/database.ts';
import { type GroupCommit, groupCommit } from '../db/group-commit.ts';
import { isTooSlow } from '../db/sqlstates.ts';
import { storable } from '../db/storable.ts';
import { DatabaseUnavailable, RequestError } from '../errors.ts';
import type { Fleet } from '../fleets.ts';
import type { Log } from '../log.ts';
import type { Lane } from '../parsers/parser.ts';
import { payloadReader } from '../parsers/read-at-once.ts';
import type { HashMachine } from '../privacy/machine-ids.ts';
import type { Scrubbed } from '../privacy/scrub.ts';
import { createScrubber } from '../privacy/scrubber.ts';
import { readRecords } from '../records/queries.ts';
import type { StoredRecord } from '../records/record.ts';
import { type NewRecord, type StoreOutcome, storeBatch } from '../records/store.ts';
import { type Astray, watchAstray } from './astray.ts';
import { escapeControls, type Refusal } from './fields.ts';
import { recordFingerprint, requestFingerprint } from './fingerprint.ts';
import { type Form, type Forms, formsOf } from './forms.ts';
import type { Limits } from './limits.ts';
import { type CollectorMetrics, collectorMetrics } from './metrics.ts';
import { isRefusal, type Received, type RequestHeaders } from './parse.ts';
import { type KeptRequest, quarantineKeeper, type RefusedRequest } from './quarantine.ts';
import { redactBody } from './redact.ts';
import { type WrongTidWatch, watchWrongTids } from './wrong-tids.ts';

/** A request with a known TID, as it came. */
interface CollectorRequest {
  fleet: Fleet;
  form: Form;
  headers: RequestHeaders;
  body: Uint8Array;
  address(): string | null;
}

export type CollectorAnswer =
  | { kind: 'stored'; record: StoredRecord }
  /** Larger than `most` bytes, by collector.max_payload; it is not kept. */
  | { kind: 'oversized'; most: number }
  /** Refused: `kept` in quarantine, or not at all in strict mode. */
  | { kind: 'refused'; refusal: Refusal; kept: KeptRequest | undefined };

export interface Collector {
  readonly forms: Forms;
  /** The fleet of a TID; undefined if the TID is not configured. */
  fleetOf(tid: string): Fleet | undefined;
  /** Resolves once the record, or its refusal, is committed. Throws DatabaseUnavailable if that is impossible now. */
  receive(request: CollectorRequest): Promise<CollectorAnswer>;
  /**
   * Stores a parsed request; `scrubbedBy` names the rules that have scrubbed its payload already. Returns the reason if
   * the record is refused for good.
   */
  store(fleet: Fleet, received: Received, scrubbedBy?: string[]): Promise<StoredRecord | Refusal>;
  /** A text that is no record's, as it may be kept by the rules of privacy.scrub. */
  scrub(text: string): Promise<string>;
  /** Records waiting to be committed. */
  readonly waiting: number;
  /** Age in seconds of the oldest uncommitted record, see GroupCommit. */
  readonly waitingSeconds: number;
  readonly metrics: CollectorMetrics;
  /** Requests posted to paths that take no records. */
  readonly astray: Astray;
  /** Refuses a TID that is not configured; nothing else of the request is read. */
  readonly wrongTids: WrongTidWatch;
  /** Ask this before reading anything else of a request. */
  readonly limits: Limits;
  /** Await this before reading counters: see Counting.settle. */
  counted(): Promise<void>;
  drain(): Promise<void>;
}

interface CollectorDependencies {
  config: Config;
  database: Database;
  fleets: Map<string, Fleet>;
  limits: Limits;
  /** What hides the machines of ABRT's reports. */
  hashMachine: HashMachine;
  log: Log;
  /** Called when crash analysis has something to do. */
  onWork?: () => void;
  /** Finds the admin's parser that reads a classification. */
  parserLane?: (classification: string) => Lane | undefined;
  /** Throws if nothing may be written because the disk is nearly full. */
  assertRoom?: (() => void) | undefined;
}

/** Shorter than the 10 s after which clients give up. A record committed later is recognised when it comes again. */
const ANSWER_TIMEOUT_MS = 9_000;
/** By then the senders of a batch have been answered; when they send again it shows whether the batch was committed. */
const DEADLINE_MS = 20_000;
/** An estimate of a record's metadata in memory. */
const METADATA_BYTES = 1_000;
/** Headers of a refused request that say nothing about the record and may be secret. */
const NOT_KEPT = new Set(['authorization', 'cookie', 'set-cookie', 'proxy-authorization']);

export function createCollector({
  config,
  database,
  fleets,
  limits,
  hashMachine,
  log,
  onWork = () => {},
  parserLane = () => undefined,
  assertRoom = () => {},
}: CollectorDependencies): Collector {
  const read = payloadReader(config, parserLane);
  const forms = formsOf(hashMachine);
  const counting = startCounting(database, config, log);
  const metrics = collectorMetrics();
  const astray = watchAstray(log);
  const wrongTids = watchWrongTids(log);
  const writer = database.client('collector', { deadlineMs: DEADLINE_MS });
  const keepRefused = quarantineKeeper(database.client('quarantine', { deadlineMs: DEADLINE_MS }), config.quarantine);
  const records: GroupCommit<NewRecord, StoreOutcome> = groupCommit({
    write: async batch => {
      const started = performance.now();
      const outcomes = await guarded(database, () => storeBatch(writer, batch));
      counting.stored();
      metrics.committed(batch.length, (performance.now() - started) / 1000);
      if (batch.some(record => record.work.includes('crash'))) onWork();
      return outcomes;
    },
    size: record => record.report.payload.length + METADATA_BYTES,
    maxWaiting: config.collector.queue,
    answerWithinMs: ANSWER_TIMEOUT_MS,
  });
  const refused: GroupCommit<RefusedRequest, KeptRequest> = groupCommit({
    write: batch => guarded(database, () => keepRefused(batch)),
    size: request => request.body.byteLength + METADATA_BYTES,
    maxWaiting: config.collector.queue,
    answerWithinMs: ANSWER_TIMEOUT_MS,
  });
  const scrubber = createScrubber(config.privacy.scrub, {
    maxWaiting: config.collector.queue,
    answerWithinMs: ANSWER_TIMEOUT_MS,
  });

  async function receive(request: CollectorRequest): Promise<CollectorAnswer> {
    assertRoom();
    const received = request.form.parse(request.headers, request.body);
    if (isRefusal(received)) return refuse(request, received);
    const most = config.collector.max_payload;
    if (received.payloadBytes.byteLength > most) return { kind: 'oversized', most };
    const outcome = await store(request.fleet, received);
    return 'message' in outcome ? refuse(request, outcome) : { kind: 'stored', record: outcome };
  }

  async function store(
    fleet: Fleet,
    received: Received,
    scrubbedBefore: string[] = [],
  ): Promise<StoredRecord | Refusal> {
    assertRoom();
    // Made from the payload as it came, so that a repeated record is recognised even if the rules have changed.
    const fingerprint = received.fingerprint ?? recordFingerprint(received.report, received.payloadBytes);
    const scrubbed = await scrubber.scrub(received.report.payload, received.report.classification);
    if (scrubbed.kind === 'failed') return scrubbingFailed(scrubbed);
    const report = scrubbed.by.length > 0 ? { ...received.report, payload: scrubbed.payload } : received.report;
    const scrubbedBy = [...new Set([...scrubbedBefore, ...(received.scrubbedBy ?? []), ...scrubbed.by])];
    const { wayIn } = received;
    const outcome = await records.submit({
      report,
      fleetId: fleet.id,
      fingerprint,
      scrubbedBy,
      wayIn,
      ...read(report),
    });
    if (outcome.kind === 'rejected')
      return { field: null, message: `the database does not take this record: ${escapeControls(outcome.reason)}` };
    if (outcome.kind === 'stored') limits.stored(fleet);
    const stored = { ...report, id: outcome.id, receivedAt: outcome.receivedAt, fleet: fleet.name, scrubbedBy, wayIn };
    return outcome.kind === 'repeated' ? await asFirstStored(database.sql, stored) : stored;
  }

  async function refuse(request: CollectorRequest, refusal: Refusal): Promise<CollectorAnswer> {
    log.limited(`refused ${refusal.field}`, 'info', 'refused a record', {
      field: refusal.field,
      fleet: request.fleet.name,
      address: request.address(),
    });
    if (config.collector.refuse === 'strict') return { kind: 'refused', refusal, kept: undefined };
    const headers = Object.entries(request.headers).filter(([name]) => !NOT_KEPT.has(name));
    const redacted = await redactBody(scrubber, request, refusal.withheldBy);
    const kept = await refused.submit({
      fingerprint: requestFingerprint(request.fleet.tid, headers.filter(isAboutTheRecord), request.body),
      fleetId: request.fleet.id,
      machineId: request.form.claimedMachine(request.headers, request.body),
      address: request.address(),
      field: refusal.field,
      reason: storable(refusal.message),
      headers: headers.map(([name, value]) => [name, storable(value)]),
      isUreport: request.form === forms.ureport,
      ...redacted,
    });
    return { kind: 'refused', refusal, kept };
  }

  return {
    forms,
    fleetOf: tid => fleets.get(tid.trim().toLowerCase()),
    receive,
    store,
    async scrub(text) {
      const scrubbed = await scrubber.scrub(text, undefined);
      if (scrubbed.kind === 'failed') throw new RequestError(400, scrubbingFailed(scrubbed).message);
      return scrubbed.payload;
    },
    metrics,
    astray,
    wrongTids,
    limits,
    counted: counting.settle,
    get waiting() {
      return scrubber.waiting + records.waiting + refused.waiting;
    },
    get waitingSeconds() {
      return Math.max(records.waitingMs, refused.waitingMs) / 1000;
    },
    async drain() {
      await scrubber.drain();
      // The scrubbed record is about to join its batch.
      await Bun.sleep(0);
      await Promise.all([records.drain(), refused.drain()]);
      await counting.stop();
    },
  };
}

function scrubbingFailed({ rule, reason }: Scrubbed & { kind: 'failed' }): Refusal {
  const message = `payload: the rule "${rule}" of privacy.scrub ${reason}, which is withheld`;
  return { field: 'payload', message, withheldBy: rule };
}

async function guarded<T>(database: Database, work: () => Promise<T>): Promise<T> {
  database.assertAvailable();
  try {
    return await work();
  } catch (error) {
    throw isTooSlow(error) ? new DatabaseUnavailable('storing the record took too long') : error;
  }
}

/** A repeated record is answered as it was first stored, or as it came now if retention has removed the first one. */
async function asFirstStored(sql: Sql, record: StoredRecord): Promise<StoredRecord> {
  const [first] = await readRecords(sql, [{ id: record.id, receivedAt: record.receivedAt }]);
  return first ?? record;
}

/** Headers such as Date or User-Agent may differ when a client sends the same record again. */
function isAboutTheRecord([name]: [string, string]) {
  return (
    name.includes('_') ||
    /^(record-format-version|classification|severity|machine-id|creation-timestamp|arch|host-type|build|kernel-version|payload-format-version|system-name|board-name|cpu-model|bios-version|event-id|x-clr-external)$/i.test(
      name,
    )
  );
}

import type { Sql } from '../db/connect.ts';
import { isConnectionFailure } from '../db/sqlstates.ts';
import { storable } from '../db/storable.ts';
import { failWork, releaseWork } from '../db/work-queue.ts';
import type { Crash, Frame } from '../dialects/frame.ts';
import { readCrash } from '../dialects/read-crash.ts';
import { readPayload } from '../records/queries.ts';
import type { Demangler } from './demangle/demangle.ts';
import { chooseGuilty } from './guilty.ts';
import type { NeverGuiltyList, ReadList } from './never-guilty-list.ts';
import { type ClaimedRecord, claimCrashes } from './queue.ts';
import { framesOf } from './reason.ts';
import { frameKeys, type StackFrame, stackFrame, stackHash } from './stack.ts';
import { type AnalysedCrash, type AnalysedStack, storeCrashes } from './store.ts';

/** Records read at a time: each may have a payload of collector.max_payload. */
const SLICE = 400;
/** Crashes stored at a time, by what was read of them: a counter costs as much for one of them as for all. */
export const BATCH = 2_000;

/** No record's fault: they wait until it can be started. */
class DemanglerMissing extends Error {}

/** A record's backtrace, before the never-guilty list has its say. */
type ReadCrash = Omit<AnalysedCrash, 'stack'> & { frames: StackFrame[] };

type Counted = Omit<ClaimedRecord, 'payload' | 'payloadRaw'>;

/** The ids of claimed records and what could be read of them. */
interface ReadBatch {
  claimed: number[];
  crashes: ReadCrash[];
}

/**
 * Reads the backtraces of one batch of waiting crash records, which may go on while the batch before is stored. A record that can't be
 * analysed costs the others nothing: it is tried again, and set aside after its last attempt.
 */
export async function readBatch(sql: Sql, demangler: Demangler): Promise<ReadBatch> {
  const batch: ReadBatch = { claimed: [], crashes: [] };
  for (let read = SLICE; read === SLICE && batch.claimed.length < BATCH; ) {
    read = await readSlice(sql, demangler, batch).catch(async error => {
      await releaseWork(sql, 'crash', batch.claimed).catch(() => {});
      throw error;
    });
  }
  return batch;
}

async function readSlice(sql: Sql, demangler: Demangler, batch: ReadBatch): Promise<number> {
  const records = await claimCrashes(sql, SLICE, { again: batch.claimed.length === 0 });
  const ids = records.map(record => record.recordId);
  const crashes = await orReported(sql, ids, () => readBacktraces(sql, records, demangler));
  batch.claimed.push(...ids);
  batch.crashes.push(...(crashes ?? []));
  return records.length;
}

export async function storeAnalysed(sql: Sql, { claimed, crashes }: ReadBatch, readList: ReadList): Promise<void> {
  await orReported(sql, claimed, () => storeWhatCanBe(sql, crashes, readList));
}

/** A failure counts against the records, unless it is the database's or a program's. */
async function orReported<T>(sql: Sql, claimed: number[], work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isConnectionFailure(error) || error instanceof DemanglerMissing) {
      await releaseWork(sql, 'crash', claimed).catch(() => {});
      throw error;
    }
    for (const recordId of claimed) await failWork(sql, 'crash', recordId, (error as Error).message);
    return undefined;
  }
}

async function readBacktraces(sql: Sql, records: ClaimedRecord[], demangler: Demangler): Promise<ReadCrash[]> {
  const parsed: { record: Counted; crash: Crash; found: Frame[] }[] = [];
  for (const { payload, payloadRaw, ...record } of records) {
    const crash = payload === null ? await largeCrash(sql, record) : readCrash(textOf({ payload, payloadRaw }));
    parsed.push({ record, crash, found: framesOf(crash) });
  }
  const names = new Set(
    parsed.flatMap(({ found }) => found.flatMap(frame => (frame.mangled === null ? [] : [frame.mangled]))),
  );
  const results = await demangler.demangle([...names]);
  if (results.some(result => result.note === 'unavailable'))
    throw new DemanglerMissing('the demangler can not be started');
  const demangled = new Map(results.map(result => [result.name, result]));
  const read: ReadCrash[] = [];
  for (const { record, crash, found } of parsed) {
    try {
      const frames = found.map(frame =>
        stackFrame(frame, frame.mangled === null ? undefined : demangled.get(frame.mangled)),
      );
      read.push({
        ...record,
        program: crash.program === null ? null : storable(crash.program),
        pid: crash.pid,
        signal: crash.signal !== null && crash.signal < 2 ** 15 ? crash.signal : null,
        reason: crash.reason === null ? null : storable(crash.reason),
        frames,
      });
    } catch (error) {
      await failWork(sql, 'crash', record.recordId, (error as Error).message);
    }
  }
  return read;
}

/** One of a large payload, which is not kept: parts of a text keep the whole in memory, a copy of them does not. */
async function largeCrash(sql: Sql, { recordId, machineId, receivedAt }: Counted): Promise<Crash> {
  const row = await readPayload(sql, { id: recordId, machineId, receivedAt });
  return structuredClone(readCrash(row ? textOf(row) : ''));
}

function textOf({ payload, payloadRaw }: { payload: string; payloadRaw: Uint8Array | null }) {
  return payloadRaw ? Buffer.from(payloadRaw).toString('utf8') : payload;
}

/** A crash that the database does not take is found by halving the batch: it costs the others a few transactions and nothing else. */
async function storeWhatCanBe(sql: Sql, crashes: ReadCrash[], readList: ReadList): Promise<void> {
  if (crashes.length === 0) return;
  try {
    await decideAndStore(sql, crashes, readList);
  } catch (error) {
    if (isConnectionFailure(error)) throw error;
    if (crashes.length === 1) return failWork(sql, 'crash', crashes[0]!.recordId, (error as Error).message);
    const middle = crashes.length >> 1;
    await storeWhatCanBe(sql, crashes.slice(0, middle), readList);
    await storeWhatCanBe(sql, crashes.slice(middle), readList);
  }
}

/** One transaction: the list can't change between a decision and its storing. */
async function decideAndStore(sql: Sql, crashes: ReadCrash[], readList: ReadList) {
  await sql.begin(async tx => {
    const list = await readList(tx);
    const stacks = new Map<string, AnalysedStack>();
    await storeCrashes(
      tx,
      crashes.map(({ frames, ...crash }) => ({ ...crash, stack: stackOf(stacks, frames, list) })),
      list.version,
    );
  });
}

/** Each distinct stack of a batch is decided once. */
function stackOf(stacks: Map<string, AnalysedStack>, frames: StackFrame[], list: NeverGuiltyList): AnalysedStack {
  const hash = stackHash(frames);
  const known = stacks.get(hash);
  if (known) return known;
  const stack = { hash, frames, frameKeys: frameKeys(frames, list.lookUp), verdict: chooseGuilty(frames, list.lookUp) };
  stacks.set(hash, stack);
  return stack;
}

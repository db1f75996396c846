import type { Sql } from '../db/connect.ts';
import type { Collector } from './collector.ts';
import { isRefusal } from './parse.ts';
import { forget, type QuarantineFullRow, readQuarantine } from './quarantine.ts';

const SLICE = 200;
/** The person who asked gets an answer within this time. */
const WITHIN_MS = 10_000;

/**
 * Sends quarantined requests through the collector again; those that can be stored now leave the quarantine. `more`
 * means that the time did not suffice for all.
 */
export async function replay(
  sql: Sql,
  collector: Collector,
  selection: { id?: number | undefined; reason?: string | undefined },
) {
  const until = performance.now() + WITHIN_MS;
  const total = { replayed: 0, refused: 0, more: false };
  for (let afterId = 0; ; ) {
    total.more = performance.now() > until;
    if (total.more) return total;
    const entries = await readQuarantine(sql, { ...selection, afterId, limit: SLICE });
    if (entries.length === 0) return total;
    const stored = await Promise.all(entries.map(entry => replayOne(collector, entry)));
    const ids = entries.filter((_, index) => stored[index]).map(entry => entry.id);
    await forget(sql, ids);
    total.replayed += ids.length;
    total.refused += entries.length - ids.length;
    afterId = entries.at(-1)!.id;
  }
}

async function replayOne(
  collector: Collector,
  { tid, headers, body, scrubbedBy, isUreport }: QuarantineFullRow,
): Promise<boolean> {
  const fleet = collector.fleetOf(tid);
  const form = isUreport ? collector.forms.ureport : collector.forms.telemetrics;
  const received = form.parse(Object.fromEntries(headers), body);
  if (!fleet || isRefusal(received)) return false;
  return !('message' in (await collector.store(fleet, received, scrubbedBy)));
}

import { Hono } from 'hono';
import { z } from 'zod';
import { QuarantinePage } from '../../views/collector/quarantine.tsx';
import { QuarantineEntryPage } from '../../views/collector/quarantine-entry.tsx';
import { count, counted, type NoticeProps } from '../../views/parts/parts.tsx';
import { actorOf, recordAudit } from '../audit/audit.ts';
import { decodeText } from '../decode-text.ts';
import { RequestError } from '../errors.ts';
import {
  choiceParam,
  formOf,
  idInPath,
  idParam,
  integerParam,
  parseOrRefuse,
  textParam,
  valid,
} from '../validation.ts';
import type { Site } from '../web/site.ts';
import { discard, listQuarantine, listReasons, readQuarantine, summariseQuarantine } from './quarantine.ts';
import { replay } from './replay.ts';

const PAGE_SIZE = 50;
const REASON_LENGTH = 4_000;

const listQuery = z.object({
  reason: textParam(REASON_LENGTH),
  before_id: idParam,
  replayed: integerParam(0, Number.MAX_SAFE_INTEGER),
  refused: integerParam(0, Number.MAX_SAFE_INTEGER),
  discarded: integerParam(0, Number.MAX_SAFE_INTEGER),
  more: choiceParam(['1']),
});

const selection = z
  .object({ id: idParam, reason: textParam(REASON_LENGTH) })
  .refine(form => (form.id === undefined) !== (form.reason === undefined), {
    error: 'expected either an id or a reason',
  });

export function quarantinePages({ sql, collector, config, frame }: Site) {
  return new Hono()
    .get('/', valid('query', listQuery), async c => {
      const query = c.req.valid('query');
      const { reason, before_id: beforeId } = query;
      const [entries, reasons, summary] = await Promise.all([
        listQuarantine(sql, { reason, beforeId, limit: PAGE_SIZE + 1 }),
        listReasons(sql),
        summariseQuarantine(sql),
      ]);
      const shown = entries.slice(0, PAGE_SIZE);
      const older =
        entries.length > PAGE_SIZE &&
        new URLSearchParams({ ...(reason && { reason }), before_id: String(shown.at(-1)!.id) });
      return c.html(
        <QuarantinePage
          frame={await frame(c)}
          reasons={[...reasons]}
          entries={shown}
          selected={reason}
          olderHref={older ? `/telemetryui/quarantine?${older}` : undefined}
          newerHref={
            beforeId === undefined
              ? undefined
              : `/telemetryui/quarantine${reason ? `?${new URLSearchParams({ reason })}` : ''}`
          }
          limits={{ ...summary, maxEntries: config.quarantine.max_records, maxBytes: config.quarantine.max_bytes }}
          notice={outcome(query)}
        />,
      );
    })
    .get('/:id', async c => {
      const id = idInPath(c.req.param('id'));
      if (id === undefined) throw new RequestError(404, 'there is no such entry in quarantine');
      const [entry] = await readQuarantine(sql, { id });
      if (!entry) throw new RequestError(404, `entry ${id} is not in quarantine, or no longer`);
      return c.html(
        <QuarantineEntryPage frame={await frame(c)} entry={{ ...entry, payload: decodeText(entry.body) }} />,
      );
    })
    .post('/replays', async c => {
      const chosen = parseOrRefuse(selection, await formOf(c));
      const { replayed, refused, more } = await replay(sql, collector, chosen);
      await recordAudit(sql, actorOf(c), { ...subjectOf(chosen), action: 'replayed', after: { replayed, refused } });
      return c.redirect(`/telemetryui/quarantine?replayed=${replayed}&refused=${refused}${more ? '&more=1' : ''}`, 303);
    })
    .post('/discards', async c => {
      const { id, reason } = parseOrRefuse(selection, await formOf(c));
      const discarded = await sql.begin(async tx => {
        const n = await discard(tx, reason === undefined ? { ids: [id!] } : { reason });
        await recordAudit(tx, actorOf(c), {
          ...subjectOf({ id, reason }),
          action: 'discarded',
          after: { discarded: n },
        });
        return n;
      });
      return c.redirect(`/telemetryui/quarantine?discarded=${discarded}`, 303);
    });
}

function subjectOf({ id, reason }: z.output<typeof selection>) {
  return { subject: reason === undefined ? `quarantine ${id}` : `quarantine because of "${reason}"` };
}

/** What the form did that led here. */
function outcome({ replayed, refused = 0, discarded, more }: z.output<typeof listQuery>): NoticeProps | undefined {
  if (discarded !== undefined) return { kind: 'done', text: `Discarded ${counted(discarded, 'record')}.` };
  if (replayed === undefined) return undefined;
  if (more)
    return {
      kind: 'warning',
      text: `Stored ${counted(replayed, 'record')} so far, ${count(refused)} still can't be stored: replay again for the rest.`,
    };
  if (refused === 0) return { kind: 'done', text: `Stored ${counted(replayed, 'record')} from quarantine.` };
  return {
    kind: 'error',
    text: `Stored ${counted(replayed, 'record')}; ${counted(refused, 'record')} still can't be stored and stay here.`,
  };
}

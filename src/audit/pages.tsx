import { Hono } from 'hono';
import { z } from 'zod';
import { AuditPage } from '../../views/audit/audit.tsx';
import { SettingsPage } from '../../views/config/settings.tsx';
import { idParam, integerParam, textParam, valid } from '../validation.ts';
import type { Site } from '../web/site.ts';
import { listAudit } from './audit.ts';

const ENTRIES_A_PAGE = 100;
const MOST_ENTRIES = 1000;

const auditQuery = z.object({ who: textParam(100), action: textParam(100), before_id: idParam });

export function auditPages({ sql, frame }: Site) {
  return new Hono().get('/', valid('query', auditQuery), async c => {
    const { who, action, before_id: beforeId } = c.req.valid('query');
    const entries = await listAudit(sql, { who, action, beforeId }, ENTRIES_A_PAGE + 1);
    const shown = entries.slice(0, ENTRIES_A_PAGE);
    const older = new URLSearchParams({
      ...(who && { who }),
      ...(action && { action }),
      before_id: String(shown.at(-1)?.id),
    });
    return c.html(
      <AuditPage
        frame={await frame(c)}
        entries={shown}
        filter={{ who, action }}
        olderHref={entries.length > ENTRIES_A_PAGE ? `/telemetryui/audit?${older}` : undefined}
      />,
    );
  });
}

/** GET /  `{"entries": [{"id", "at", "who", "via", "address", "action", "subject", "before", "after"}]}`, newest first; who, action, before_id, limit. */
export function auditApi({ sql }: Site) {
  return new Hono().get('/', valid('query', auditQuery.extend({ limit: integerParam(1, MOST_ENTRIES) })), async c => {
    const query = c.req.valid('query');
    const { who, action, before_id: beforeId, limit = ENTRIES_A_PAGE } = query;
    return c.json({ entries: await listAudit(sql, { who, action, beforeId }, limit) });
  });
}

/** The settings in force, to read. */
export function settingsPages({ frame, settings }: Site) {
  return new Hono().get('/', async c => c.html(<SettingsPage frame={await frame(c)} text={settings} />));
}

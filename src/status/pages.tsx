import { type Context, Hono } from 'hono';
import { StatusPage } from '../../views/status/status.tsx';
import type { Queryable } from '../db/connect.ts';
import { may } from '../roles.ts';
import type { Site } from '../web/site.ts';
import { type Check, gravest } from './check.ts';
import { checksOf } from './checks.ts';
import { stateKnown, type Watched } from './state.ts';

/** The state of the server in words. */
export function statusPages({ database: { health: sql }, watched, frame, bare }: Site) {
  return new Hono().get('/', async c => {
    const { checks, silent } = await checksFor(c, sql, watched);
    return c.html(<StatusPage frame={silent ? bare(c) : await frame(c)} checks={checks} level={gravest(checks)} />);
  });
}

/** GET /  `{"level", "checks": [{"name", "level", "text", "remedy", "reason"}]}`; a level is ok, warning or error. */
export function statusApi({ database: { health: sql }, watched }: Site) {
  return new Hono().get('/', async c => {
    const { checks } = await checksFor(c, sql, watched);
    return c.json({ level: gravest(checks), checks });
  });
}

/** Removes reasons unless an administrator asks, since they may hold paths of the host. */
async function checksFor(c: Context, sql: Queryable, watched: Watched): Promise<{ checks: Check[]; silent: boolean }> {
  const state = await stateKnown(sql, watched);
  const checks = checksOf(state, watched.config);
  const silent = state.database === undefined;
  if (may(c.get('visitor'), 'administer')) return { checks, silent };
  return { checks: checks.map(({ reason: _, ...check }) => check), silent };
}

import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { AccountPage } from '../../views/access/account.tsx';
import type { NoticeProps } from '../../views/parts/parts.tsx';
import { actorOf, addressOf, recordAudit } from '../audit/audit.ts';
import { RequestError } from '../errors.ts';
import { accessIdParam, checkForm, formOf, parseOrRefuse } from '../validation.ts';
import type { Site } from '../web/site.ts';
import { tryPassword } from './attempts.ts';
import { setSessionCookie } from './cookie.ts';
import { sessionLimits } from './identify.ts';
import { hashPassword, newPassword, PASSWORD_RULE } from './passwords.ts';
import { endOtherSessions, endSession, listSessions, startSession } from './sessions.ts';
import { findUserById, passwordOf, setPassword } from './users.ts';

const PATH = '/telemetryui/account';

const change = z
  .object({ current: z.string().max(1000), password: newPassword, repeated: z.string() })
  .refine(form => form.password === form.repeated, { path: ['repeated'], error: 'expected the same password again' });

/** What everyone does with an account of their own. */
export function accountPages({ sql, config, frame }: Site) {
  return new Hono()
    .get('/', async c => page(c, {}))
    .post('/password', async c => {
      const { name, userId } = owner(c);
      const { data, errors } = checkForm(change, await formOf(c));
      if (errors) return page(c, { errors });
      const { current, password } = data;
      const hash = (await passwordOf(sql, name))?.password ?? null;
      if (!(await tryPassword(sql, { account: name, address: addressOf(c), password: current, hash })))
        return page(c, { errors: { current: 'this is not your password' } });
      const newHash = await hashPassword(password);
      await sql.begin(async tx => {
        await setPassword(tx, userId, newHash);
        await recordAudit(tx, actorOf(c), { action: 'changed the password', subject: `user ${name}` });
      });
      const key = await startSession(sql, userId, { address: addressOf(c), agent: c.req.header('user-agent') });
      setSessionCookie(c, config, key);
      return c.redirect(PATH, 303);
    })
    .post('/sessions', async c => {
      const visitor = owner(c);
      const { id } = parseOrRefuse(z.object({ id: accessIdParam }), await formOf(c));
      if (id === undefined) await endOtherSessions(sql, visitor.userId, visitor.sessionId);
      else if (!(await endSession(sql, visitor.userId, id))) return c.redirect(PATH, 303);
      await recordAudit(sql, actorOf(c), { action: id === undefined ? 'ended other sessions' : 'ended a session' });
      return c.redirect(PATH, 303);
    });

  async function page(c: Context, { errors, notice }: { errors?: Record<string, string>; notice?: NoticeProps }) {
    const { userId, sessionId } = owner(c);
    const [user, sessions] = await Promise.all([
      findUserById(sql, userId),
      listSessions(sql, userId, sessionLimits(config)),
    ]);
    return c.html(
      <AccountPage
        frame={await frame(c)}
        user={user!}
        sessions={[...sessions]}
        currentId={sessionId}
        rule={PASSWORD_RULE}
        errors={errors}
        notice={notice}
      />,
      errors ? 400 : 200,
    );
  }
}

function owner(c: Context): { name: string; userId: number; sessionId?: number } {
  const visitor = c.get('visitor');
  if (visitor?.via === 'session' || visitor?.via === 'proxy') return visitor;
  throw new RequestError(404, 'there is no account to show: nobody signed in');
}

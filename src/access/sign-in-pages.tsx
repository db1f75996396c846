import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { ChoosePasswordPage, SignInPage } from '../../views/access/sign-in.tsx';
import { actorOf, addressOf, recordAudit } from '../audit/audit.ts';
import type { Config } from '../config/settings.ts';
import type { Sql } from '../db/connect.ts';
import { storable } from '../db/storable.ts';
import { RequestError } from '../errors.ts';
import { checkForm, formOf } from '../validation.ts';
import type { Site } from '../web/site.ts';
import { tryPassword } from './attempts.ts';
import { clearSessionCookie, setSessionCookie } from './cookie.ts';
import { SIGN_IN } from './identify.ts';
import { findLink, useLink } from './links.ts';
import { hashPassword, newPassword, PASSWORD_RULE } from './passwords.ts';
import { endSession, startSession } from './sessions.ts';
import { addUser, passwordOf, setPassword, userName } from './users.ts';

const LANDING = '/telemetryui';

/** Not as strict as for a new account: what can't be the name of one has a wrong password, too. */
const typedName = z.string().max(64).transform(storable);
const credentials = z.object({ name: typedName, password: z.string().max(1000), next: z.string().optional() });
const chosenPassword = z
  .object({ name: userName.optional(), password: newPassword, repeated: z.string() })
  .refine(form => form.password === form.repeated, { path: ['repeated'], error: 'expected the same password again' });

/** Signing in with a password or a link, and out. Anyone may ask for these. */
export function signInPages({ sql, config, bare: frame, provider }: Site) {
  return new Hono()
    .get('/login', c => {
      const next = ownPath(c.req.query('next'));
      if (c.get('visitor')) return c.redirect(next, 303);
      return c.html(<SignInPage frame={frame(c)} next={next} provider={provider !== undefined} />);
    })
    .post('/login', async c => {
      // Not by parseOrRefuse, which repeats what was typed: that may be a password.
      const form = credentials.safeParse(await formOf(c));
      if (!form.success) throw new RequestError(400, 'expected a name and a password');
      const { name, password } = form.data;
      const next = ownPath(form.data.next);
      const address = addressOf(c);
      const user = await passwordOf(sql, name);
      if (await tryPassword(sql, { account: name, address, password, hash: user?.password ?? null })) {
        await signIn(c, sql, config, { id: user!.id, name: user!.name, via: 'password' });
        return c.redirect(next, 303);
      }
      // The name as it was typed may be a password.
      await recordAudit(
        sql,
        { who: user?.name ?? 'nobody', via: 'password', address },
        { action: 'failed to sign in' },
      );
      const notice = { kind: 'error' as const, text: 'Name or password is wrong.' };
      return c.html(
        <SignInPage frame={frame(c)} next={next} name={name} notice={notice} provider={provider !== undefined} />,
        401,
      );
    })
    .post('/logout', async c => {
      const visitor = c.get('visitor');
      if (visitor?.via === 'session') {
        await endSession(sql, visitor.userId, visitor.sessionId);
        await recordAudit(sql, actorOf(c), { action: 'signed out' });
      }
      clearSessionCookie(c, config);
      return c.redirect(SIGN_IN, 303);
    })
    .get('/links/:key', async c => {
      const { name } = await linkOf(c);
      return c.html(<ChoosePasswordPage frame={frame(c)} user={name ?? undefined} rule={PASSWORD_RULE} />);
    })
    .post('/links/:key', async c => {
      const link = await linkOf(c);
      const raw = await formOf(c);
      const form = checkForm(chosenPassword, link.userId === null ? raw : { ...raw, name: undefined });
      if (form.errors || (link.userId === null && form.data.name === undefined)) {
        const values = { name: raw.name };
        return c.html(
          <ChoosePasswordPage
            frame={frame(c)}
            user={link.name ?? undefined}
            rule={PASSWORD_RULE}
            values={values}
            errors={form.errors ?? { name: 'expected a name' }}
          />,
          400,
        );
      }
      const hash = await hashPassword(form.data.password);
      const user = await sql.begin(async tx => {
        if (!(await useLink(tx, c.req.param('key')))) throw goneLink();
        const chosen = link.userId === null ? await addUser(tx, form.data.name!, 'admin') : undefined;
        const id = link.userId ?? chosen?.id;
        if (id === undefined) throw goneLink();
        await setPassword(tx, id, hash);
        const name = link.name ?? form.data.name!;
        const action = link.userId === null ? 'created the first account' : 'chose a password';
        await recordAudit(tx, { who: name, via: 'link', address: addressOf(c) }, { action, subject: `user ${name}` });
        return { id, name };
      });
      await signIn(c, sql, config, { ...user, via: 'link' });
      return c.redirect(LANDING, 303);
    });

  async function linkOf(c: Context) {
    const link = await findLink(sql, c.req.param('key') ?? '');
    if (!link) throw goneLink();
    return link;
  }
}

/** Starts a session, and says so in the audit. */
export async function signIn(
  c: Context,
  sql: Sql,
  config: Config,
  { id, name, via }: { id: number; name: string; via: string },
) {
  const address = addressOf(c);
  const key = await startSession(sql, id, { address, agent: c.req.header('user-agent') });
  await recordAudit(sql, { who: name, via, address }, { action: 'signed in' });
  setSessionCookie(c, config, key);
}

function goneLink() {
  return new RequestError(
    404,
    'this link was used, is older than a day, or never existed; ask an administrator for a new one',
  );
}

/** Where to go after signing in: only to pages of ours, whatever the address says. */
export function ownPath(next: string | undefined): string {
  return next !== undefined && /^\/telemetryui(?:[/?][!-[\]-~]*)?$/.test(next) && !next.startsWith(SIGN_IN)
    ? next
    : LANDING;
}

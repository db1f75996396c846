import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { UsersPage, type UsersPageProps } from '../../views/access/users.tsx';
import { actorOf, recordAudit } from '../audit/audit.ts';
import type { Queryable } from '../db/connect.ts';
import { RequestError } from '../errors.ts';
import { ROLES } from '../roles.ts';
import { accessIdParam, checkForm, formOf, parseOrRefuse } from '../validation.ts';
import type { Site } from '../web/site.ts';
import { LINK_HOURS, makeLink } from './links.ts';
import { addUser, findUserById, isLastAdmin, listUsers, removeUser, setRole, type User, userName } from './users.ts';

const PATH = '/telemetryui/users';

const role = z.enum(ROLES, { error: `expected ${ROLES.join(', ')}` });
const addition = z.object({ name: userName, role });
const named = z.object({ id: accessIdParam });

/** Accounts: who has one, adding, roles, links for passwords, removing. */
export function userPages({ sql, config, frame }: Site) {
  return new Hono()
    .get('/', c => page(c, {}))
    .post('/', async c => {
      const raw = await formOf(c);
      const { data, errors } = checkForm(addition, raw);
      if (errors) return page(c, { values: raw, errors }, 400);
      const link = await sql.begin(async tx => {
        const user = await addUser(tx, data.name, data.role);
        if (!user) return undefined;
        await recordAudit(tx, actorOf(c), { action: 'added a user', subject: `user ${user.name}`, after: data });
        return await linkFor(c, tx, user);
      });
      if (!link) return page(c, { values: raw, errors: { name: 'this name is taken' } }, 400);
      return page(c, { link });
    })
    .post('/roles', async c => {
      const form = parseOrRefuse(named.extend({ role }), await formOf(c));
      await sql.begin(async tx => {
        const user = await userOf(tx, form.id);
        if (form.role !== 'admin') await assertNotLastAdmin(tx, user);
        await setRole(tx, user.id, form.role);
        const [before, after] = [{ role: user.role }, { role: form.role }];
        await recordAudit(tx, actorOf(c), { action: 'set the role', subject: `user ${user.name}`, before, after });
      });
      return c.redirect(PATH, 303);
    })
    .post('/links', async c => {
      const { id } = parseOrRefuse(named, await formOf(c));
      const link = await sql.begin(async tx => {
        const user = await userOf(tx, id);
        await recordAudit(tx, actorOf(c), { action: 'made a password link', subject: `user ${user.name}` });
        return await linkFor(c, tx, user);
      });
      return page(c, { link });
    })
    .post('/removals', async c => {
      const { id } = parseOrRefuse(named, await formOf(c));
      await sql.begin(async tx => {
        const user = await userOf(tx, id);
        await assertNotLastAdmin(tx, user);
        await removeUser(tx, user.id);
        const before = { role: user.role };
        await recordAudit(tx, actorOf(c), { action: 'removed a user', subject: `user ${user.name}`, before });
      });
      return c.redirect(PATH, 303);
    });

  async function page(c: Context, shown: Pick<UsersPageProps, 'link' | 'values' | 'errors'>, status: 200 | 400 = 200) {
    return c.html(<UsersPage frame={await frame(c)} users={[...(await listUsers(sql))]} {...shown} />, status);
  }

  async function linkFor(c: Context, tx: Queryable, user: User) {
    const site = config.http.public_url ?? new URL(c.req.url).origin;
    return { href: `${site}${await makeLink(tx, user.id)}`, name: user.name, hours: LINK_HOURS };
  }
}

async function userOf(sql: Queryable, id: number | undefined): Promise<User> {
  const user = id === undefined ? undefined : await findUserById(sql, id);
  if (!user) throw new RequestError(404, 'there is no such user, or no longer');
  return user;
}

async function assertNotLastAdmin(sql: Queryable, { id, name }: User) {
  if (await isLastAdmin(sql, id)) throw new RequestError(400, `${name} is the last admin; make someone else one first`);
}

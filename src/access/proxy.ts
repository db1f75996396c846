import type { Context } from 'hono';
import { addressOf, peerAddressOf, recordAudit } from '../audit/audit.ts';
import type { Config } from '../config/settings.ts';
import type { Sql } from '../db/connect.ts';
import type { Visitor } from '../roles.ts';
import { isTrusted } from './forwarded.ts';
import { addUser, findUser, userName } from './users.ts';

/**
 * Whom a reverse proxy that authenticates names in access.trusted_header; believed from access.trusted_proxies only, where `unix`
 * stands for our unix sockets. Someone new becomes a viewer.
 */
export async function visitorOfProxy(c: Context, sql: Sql, { access }: Config): Promise<Visitor | undefined> {
  if (access.trusted_header === undefined) return undefined;
  const given = c.req.header(access.trusted_header);
  if (given === undefined || !isTrusted(peerAddressOf(c), access.trusted_proxies)) return undefined;
  const name = userName.safeParse(given);
  if (!name.success) return undefined;
  const user = (await findUser(sql, name.data)) ?? (await newcomer(sql, name.data, addressOf(c)));
  return user && { via: 'proxy', name: user.name, role: user.role, userId: user.id };
}

/** Browsers ask for several things at once: another request may have been first. */
function newcomer(sql: Sql, name: string, address: string | null) {
  const role = 'viewer';
  return sql.begin(async tx => {
    const user = await addUser(tx, name, role);
    const entry = { action: 'added a user', subject: `user ${name}`, after: { role } };
    if (user) await recordAudit(tx, { who: name, via: 'proxy', address }, entry);
    return user ?? (await findUser(tx, name));
  });
}

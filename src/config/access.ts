import { z } from 'zod';
import { ROLES, type Role } from '../roles.ts';
import { splitList } from './list.ts';
import { isNetwork } from './network.ts';

const PROXY_FORM = 'an IP address, a network such as 10.0.0.0/8, or "unix"';

/** The name of an HTTP header. */
export const headerName = z.string().regex(/^[A-Za-z0-9-]{1,64}$/);

/** Addresses and networks; `unix` stands for our own unix sockets. */
export const proxies = z.preprocess(
  raw => (raw === '' ? [] : splitList(raw)),
  z.array(z.string({ error: PROXY_FORM }).refine(text => text === 'unix' || isNetwork(text), { error: PROXY_FORM })),
);

/** http:// is allowed only on this host, where nobody else can listen. */
export const issuerUrl = z.string().refine(text => {
  const url = URL.parse(text);
  return (
    url?.protocol === 'https:' ||
    (url?.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname))
  );
});

const ROLE_FORM = `one of ${ROLES.join(', ')}`;

/** A TOML table, or the text `GROUP=ROLE,GROUP=ROLE`. */
export const groupRoles = z.preprocess(
  rolesFromText,
  z.record(z.string(), z.enum(ROLES, { error: ROLE_FORM })),
) as unknown as z.ZodType<Record<string, Role>>;

function rolesFromText(raw: unknown): unknown {
  if (typeof raw !== 'string') return raw;
  return Object.fromEntries((splitList(raw) as string[]).map(pair => pair.split(/=(?=[^=]*$)/)));
}

import { hashPassword } from '../../src/access/passwords.ts';
import { startSession } from '../../src/access/sessions.ts';
import { addToken } from '../../src/access/tokens.ts';
import { addUser, setPassword } from '../../src/access/users.ts';
import type { App } from '../../src/app.ts';
import { ROLES, type Role, TOKEN_SCOPES, type TokenScope } from '../../src/roles.ts';
import { type TestApp, testApp } from '../app.ts';

export const SITE = 'http://localhost:8080';
export const PASSWORD = 'correct horse battery';

export type As = 'nobody' | Role | TokenScope;
export const EVERYONE: As[] = ['nobody', ...ROLES, ...TOKEN_SCOPES];

export interface Asked {
  form?: Record<string, string> | undefined;
  /** Instead of a form. */
  body?: Bun.BodyInit | null | undefined;
  headers?: Record<string, string> | undefined;
  /** Where the connection comes from. */
  address?: string | null;
}

export interface AccountsApp extends TestApp {
  /** Sends a request as a browser of that role does, or a script with a token of that scope. */
  ask(as: As, method: string, path: string, asked?: Asked): Promise<Response>;
  /** The key of the cookie of each role. */
  cookies: Record<Role, string>;
  userIds: Record<Role, number>;
}

/** The application with access.mode = "accounts", an account of each role and a token of each scope. */
export async function accountsApp(env: Record<string, string> = {}): Promise<AccountsApp> {
  const app = await testApp({ TELEMETRICSD_ACCESS_MODE: 'accounts', ...env });
  const { sql } = app.database;
  // No id that a test makes up names one of these.
  for (const table of ['users', 'sessions', 'tokens'])
    await sql`alter table ${sql(table)} alter column id restart with 700000`;
  const credentials: Record<string, Record<string, string>> = { nobody: {} };
  const cookies: Record<string, string> = {};
  const userIds: Record<string, number> = {};
  const hash = await hashPassword(PASSWORD);
  for (const role of ROLES) {
    const user = (await addUser(sql, `the-${role}`, role))!;
    await setPassword(sql, user.id, hash);
    cookies[role] = await startSession(sql, user.id, { address: '192.0.2.1', agent: `Browser-of-${role}` });
    userIds[role] = user.id;
    credentials[role] = { Cookie: `telemetricsd=${cookies[role]}` };
  }
  for (const scope of TOKEN_SCOPES) {
    const token = await addToken(sql, { name: scope, scopes: [scope], days: undefined, createdBy: 'test' });
    credentials[scope] = { Authorization: `Bearer ${token}` };
  }

  function ask(
    as: As,
    method: string,
    path: string,
    { form, body = null, headers, address = '192.0.2.1' }: Asked = {},
  ) {
    const ofBrowser: Record<string, string> = TOKEN_SCOPES.includes(as as TokenScope)
      ? {}
      : { 'Sec-Fetch-Site': 'same-origin' };
    return Promise.resolve(
      app.app.request(
        `${SITE}${path}`,
        {
          method,
          headers: { Host: 'localhost:8080', ...ofBrowser, ...credentials[as], ...headers },
          body: form ? new URLSearchParams(form) : body,
        },
        { address },
      ),
    );
  }

  return { ...app, ask, cookies: cookies as Record<Role, string>, userIds: userIds as Record<Role, number> };
}

/** The cookie that an answer sets, `telemetricsd=KEY`. */
export function cookieOf(answer: Response): string | undefined {
  return answer.headers.get('set-cookie')?.split(';')[0];
}

/** Each once, `GET /telemetryui`. */
export function routesOf(app: App): string[] {
  const routes = app.routes.filter(({ method }) => method !== 'ALL');
  return [...new Set(routes.map(({ method, path }) => `${method} ${path}`))];
}

import type { Configuration } from 'openid-client';
import type { Config } from '../config/settings.ts';
import type { Queryable, Sql } from '../db/connect.ts';
import { RequestError } from '../errors.ts';
import type { Log } from '../log.ts';
import { ROLES, type Role } from '../roles.ts';
import { tokenBucket } from '../token-bucket.ts';
import { hashOfKey, newKey } from './keys.ts';
import { nameFrom } from './users.ts';

const MINUTES = 10;
/** Sign-ins that may begin in a second, from everyone together; each is stored for a while. */
const MOST_A_SECOND = 20;
const SCOPE = 'openid profile email';

/** A person whose identity the provider confirmed. */
interface Claimed {
  /** Issuer and "sub", which never change. */
  subject: string;
  name: string;
  /** From their groups; undefined if none of the groups may sign in. */
  role: Role | undefined;
  groups: string[];
}

export interface OpenIdProvider {
  /** The URL to send the browser to, and the secret that its cookie keeps until it comes back. */
  begin(redirectUri: string, next: string): Promise<{ href: string; state: string }>;
  /**
   * The person who came back to `url`, and the path they wanted. Refuses (403) an answer to a sign-in that this browser
   * did not begin.
   */
  finish(url: URL, state: string | undefined): Promise<{ claimed: Claimed; next: string }>;
}

/**
 * The code flow of OpenID Connect with PKCE, state and nonce. Asks the provider for its addresses at the first sign-in.
 */
export function openIdProvider(sql: Sql, { oidc }: Config, log: Log): OpenIdProvider | undefined {
  const { issuer, client_id: clientId, client_secret: clientSecret } = oidc;
  if (issuer === undefined || clientId === undefined) return undefined;
  const begins = tokenBucket(MOST_A_SECOND);
  let discovered: Promise<Configuration> | undefined;

  async function discover(): Promise<Configuration> {
    const client = await import('openid-client');
    // Without TLS only its signature proves that an ID token is the provider's.
    const withoutTls = [client.allowInsecureRequests, client.enableNonRepudiationChecks];
    const execute = issuer!.startsWith('http:') ? withoutTls : [];
    return await client.discovery(new URL(issuer!), clientId!, clientSecret, undefined, { execute });
  }

  async function configuration(): Promise<Configuration> {
    discovered ??= discover();
    try {
      return await discovered;
    } catch (error) {
      discovered = undefined;
      log.error('the OpenID provider cannot be reached', { issuer: issuer!, reason: (error as Error).message });
      throw new RequestError(503, 'the OpenID provider cannot be reached at the moment');
    }
  }

  return {
    async begin(redirectUri, next) {
      if (!begins.take(performance.now()))
        throw new RequestError(503, 'too many people sign in at the moment; try again');
      const [client, provider] = [await import('openid-client'), await configuration()];
      const [state, nonce, verifier] = [newKey(), client.randomNonce(), client.randomPKCECodeVerifier()];
      await sql`
        insert into oidc_sign_ins (state, nonce, verifier, next, expires_at)
        values (${hashOfKey(state)}, ${nonce}, ${verifier}, ${next}, now() + make_interval(mins => ${MINUTES}))`;
      const target = client.buildAuthorizationUrl(provider, {
        redirect_uri: redirectUri,
        scope: SCOPE,
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
      return { href: target.href, state };
    },

    async finish(url, state) {
      const begun = state === undefined ? undefined : await takeSignIn(sql, state);
      if (!begun || url.searchParams.get('state') !== state)
        throw new RequestError(403, 'this sign-in was not begun in this browser, or is too old; begin again');
      const [client, provider] = [await import('openid-client'), await configuration()];
      const checks = { pkceCodeVerifier: begun.verifier, expectedState: state!, expectedNonce: begun.nonce };
      try {
        const tokens = await client.authorizationCodeGrant(provider, url, { ...checks, idTokenExpected: true });
        return { claimed: claimedBy(tokens.claims()!, oidc), next: begun.next };
      } catch (error) {
        log.warn('a sign-in at the OpenID provider failed', { reason: (error as Error).message });
        throw new RequestError(403, 'the provider did not confirm who you are; begin again');
      }
    },
  };
}

/** Each sign-in can be finished once. */
async function takeSignIn(sql: Sql, state: string) {
  const [row] = await sql<{ nonce: string; verifier: string; next: string }[]>`
    delete from oidc_sign_ins where state = ${hashOfKey(state)} and expires_at > now() returning nonce, verifier, next`;
  return row;
}

function claimedBy(claims: Record<string, unknown>, oidc: Config['oidc']): Claimed {
  const text = (name: string) => (typeof claims[name] === 'string' ? claims[name] : undefined);
  const groups = [claims[oidc.groups_claim] ?? []].flat().filter(group => typeof group === 'string');
  return {
    subject: `${text('iss')} ${text('sub')}`,
    name: nameFrom(text('preferred_username') ?? text('email') ?? text('sub') ?? ''),
    role: roleOf(groups, oidc.roles),
    groups,
  };
}

/** The highest role that someone's groups give; `*` stands for everyone. */
function roleOf(groups: string[], roles: Record<string, Role>): Role | undefined {
  const given = Object.entries(roles).filter(([group]) => group === '*' || groups.includes(group));
  return ROLES.findLast(role => given.some(([, one]) => one === role));
}

/**
 * The account of a person, with the role they have now; made at their first sign-in (then `before` is null). A name
 * that is taken gets a number. Two sign-ins at once may both find no account: the second then uses what the first made.
 */
export async function userOfProvider(sql: Queryable, { subject, name, role }: Claimed & { role: Role }) {
  for (let n = 1; ; n++) {
    const [known] = await sql<UserOfProvider[]>`
      update users u set role = ${role}
        from (select id, role from users where oidc_subject = ${subject} for update) known
       where u.id = known.id
      returning u.id, u.name, known.role as before`;
    if (known) return known;
    const tried = n === 1 ? name : `${[...name].slice(0, 58).join('')} (${n})`;
    const [made] = await sql<UserOfProvider[]>`
      insert into users (name, role, oidc_subject) values (${tried}, ${role}, ${subject})
          on conflict do nothing returning id, name, null as before`;
    if (made) return made;
  }
}

interface UserOfProvider {
  id: number;
  name: string;
  before: Role | null;
}

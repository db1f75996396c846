import { servesPagesToOthers } from './access-mode.ts';
import { isHttps, servesPages } from './listener.ts';
import type { LoadedConfig } from './loaded.ts';
import { type Problem, showValue } from './problem.ts';
import type { Config } from './settings.ts';

/** Finds settings that are valid one by one, but not together. */
export function contradictions({ config, origin }: LoadedConfig): Problem[] {
  return [...tlsProblems(config), ...accessProblems(config), ...sizeProblems(config)].map(problem => ({
    ...problem,
    from: origin(problem.key.replace(/\[.*/, '')),
  }));
}

type FoundProblem = Omit<Problem, 'from'>;

function* tlsProblems({ http, tls, collector }: Config): Generator<FoundProblem> {
  const https = http.listen.filter(isHttps);
  for (const name of ['cert', 'key'] as const) {
    if (https.length > 0 && tls[name] === undefined)
      yield missing(`tls.${name}`, `the path of a PEM file, since http.listen has ${https[0]!.address}`);
  }
  const given = (['cert', 'key', 'client_ca'] as const).find(name => tls[name] !== undefined);
  if (given && https.length === 0)
    yield wrong('http.listen', 'no address begins with https://', `one that does, since tls.${given} is set`);
  if (http.listen.some(({ serves }) => serves === 'redirect') && !https.some(servesPages))
    yield wrong('http.listen', 'there is nothing to redirect to', 'an https:// address that serves pages beside');
  if (tls.client_ca !== undefined && tls.client_cert_fleets.length === 0)
    yield missing('tls.client_cert_fleets', 'the fleets that must show a certificate, since tls.client_ca is set');
  if (tls.client_ca === undefined && tls.client_cert_fleets.length > 0)
    yield missing('tls.client_ca', 'the path of a PEM file, since tls.client_cert_fleets is set');
  const fleets = new Set(collector.tids.map(tid => tid.name));
  for (const [index, name] of tls.client_cert_fleets.entries()) {
    if (fleets.has(name)) continue;
    const key = `tls.client_cert_fleets[${index}]`;
    yield { key, value: showValue(name), allowed: `a name from collector.tids: ${[...fleets].join(', ')}` };
  }
}

function* accessProblems({ http, access, oidc }: Config): Generator<FoundProblem> {
  const reachable = http.listen.filter(servesPagesToOthers).map(({ address }) => address);
  if (access.mode === 'open' && reachable.length > 0 && !access.allow_open)
    yield wrong(
      'access.mode',
      `it is "open", but ${reachable.join(' and ')} shows pages to whoever can reach it`,
      'it to be left out so that people sign in; or http.listen to serve pages on a loopback address or a unix socket only; ' +
        'or access.allow_open = true, if everyone in that network may read and change everything',
    );
  for (const name of ['trusted_header', 'forwarded_header'] as const) {
    if (access[name] !== undefined && access.trusted_proxies.length === 0)
      yield missing('access.trusted_proxies', `the addresses that access.${name} is believed from`);
  }
  if (oidc.issuer !== undefined && oidc.client_id === undefined)
    yield missing('oidc.client_id', 'the name that oidc.issuer knows this server by');
  if (oidc.issuer === undefined && oidc.client_id !== undefined)
    yield missing('oidc.issuer', 'the provider that oidc.client_id is registered at');
  if (oidc.issuer !== undefined && Object.keys(oidc.roles).length === 0)
    yield missing(
      'oidc.roles',
      'the roles that groups give, or { "*" = "viewer" }: without, oidc.issuer lets nobody in',
    );
}

function* sizeProblems({ retention, database }: Config): Generator<FoundProblem> {
  if (typeof retention.max_bytes === 'object' && database.url !== undefined)
    yield wrong(
      'retention.max_bytes',
      'it is a part of the file system of state.dir, but the data lie with the database of database.url',
      'a size such as "200 GB"',
    );
}

function missing(key: string, allowed: string): FoundProblem {
  return wrong(key, 'it is not set', allowed);
}

function wrong(key: string, reason: string, allowed: string): FoundProblem {
  return { key, value: undefined, reason, allowed };
}

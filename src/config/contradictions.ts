import { isHttps, servesPages } from './listener.ts';
import type { LoadedConfig } from './load.ts';
import { type Problem, showValue } from './problem.ts';
import type { Config } from './settings.ts';

/** The mistakes of settings that are right one by one, but not together. */
export function contradictions({ config, origin }: LoadedConfig): Problem[] {
  return [...tlsProblems(config)].map(problem => ({ ...problem, from: origin(problem.key.replace(/\[.*/, '')) }));
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

function missing(key: string, allowed: string): FoundProblem {
  return wrong(key, 'it is not set', allowed);
}

function wrong(key: string, reason: string, allowed: string): FoundProblem {
  return { key, value: undefined, reason, allowed };
}

import { makeCertificate, withoutOpenssl } from '../tls/certificates.ts';
import type { Program, Workspace } from './program.ts';
import type { Place } from './wire.ts';

export type Kind = 'http' | 'https';

/** The kinds of listener that a test can speak to. */
export const KINDS: Kind[] = withoutOpenssl('test/executable') ? ['http'] : ['http', 'https'];

/** The settings for a listener of each kind, besides others. */
export function listenersOfEachKind({ path }: Workspace, others: string[] = []): Record<string, string> {
  const addresses = KINDS.map(kind => (kind === 'http' ? '127.0.0.1:0' : 'https://127.0.0.1:0'));
  const listen = { TELEMETRICSD_HTTP_LISTEN: [...addresses, ...others].join() };
  return KINDS.includes('https') ? { ...listen, ...certificateSettings(path('server')) } : listen;
}

/** Makes a certificate at `path`; resolves to the settings that name it. */
export function certificateSettings(path: string): Record<string, string> {
  const { cert, key } = makeCertificate(path);
  return { TELEMETRICSD_TLS_CERT: cert, TELEMETRICSD_TLS_KEY: key };
}

export function placeOf({ ports }: Program, kind: Kind): Place {
  const port = ports[KINDS.indexOf(kind)]!;
  return kind === 'http' ? port : { https: port };
}

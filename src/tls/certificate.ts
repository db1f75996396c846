import { statSync } from 'node:fs';
import type { Config } from '../config/settings.ts';
import type { Log } from '../log.ts';
import { type CertificatePair, type CertificateState, readPair, stateOf } from './pair.ts';

/** The certificate in use, kept up to date with its files. */
export interface ServedCertificate {
  readonly pair: CertificatePair;
  readonly state: CertificateState;
  /** What is wrong with the files, while an earlier certificate is still in use. */
  readonly refused: string | undefined;
  /** Loads the files, or keeps the current certificate and logs what is wrong with them. */
  reload(): void;
  /** Calls `use` now and with each later certificate. */
  onPair(use: (pair: CertificatePair) => void): void;
  stop(): void;
}

const LOOK_MS = 1_000;
const REMIND_MS = 24 * 3600 * 1000;

/**
 * Reads the files (throws if they can't be used) and checks every second whether they changed. It reads them again
 * after two equal checks, since certificate and key are written one after the other.
 */
export function openCertificate(tls: Config['tls'], log: Log, now = Date.now): ServedCertificate {
  const files = [tls.cert, tls.key, tls.client_ca].filter(file => file !== undefined);
  const uses: ((pair: CertificatePair) => void)[] = [];
  let seen = stamp(files);
  let pair = readPair(tls);
  let loaded = seen;
  let refused: string | undefined;
  let reminded = Number.NEGATIVE_INFINITY;
  remind();

  function reload() {
    loaded = stamp(files);
    try {
      const fresh = readPair(tls);
      const { expiresInSeconds } = stateOf(fresh.leaf, now());
      if (expiresInSeconds < 0 && stateOf(pair.leaf, now()).expiresInSeconds > 0)
        throw new Error(`the certificate in ${tls.cert} has expired`);
      for (const use of uses) use(fresh);
      pair = fresh;
      refused = undefined;
      log.info('the certificate is loaded', describe(stateOf(pair.leaf, now())));
      reminded = Number.NEGATIVE_INFINITY;
      remind();
    } catch (error) {
      refused = (error as Error).message;
      log.error('the new certificate is refused, the old one stays in use', { reason: refused });
    }
  }

  function look() {
    const stamped = stamp(files);
    const settled = stamped === seen;
    seen = stamped;
    if (settled && stamped !== loaded) reload();
    remind();
  }

  function remind() {
    const state = stateOf(pair.leaf, now());
    if (!state.expiresSoon || now() - reminded < REMIND_MS) return;
    reminded = now();
    if (state.expiresInSeconds < 0) log.error('the certificate has expired', describe(state));
    else log.warn('the certificate expires soon', describe(state));
  }

  const timer = setInterval(look, LOOK_MS);
  return {
    get pair() {
      return pair;
    },
    get state() {
      return stateOf(pair.leaf, now());
    },
    get refused() {
      return refused;
    },
    reload,
    onPair(use) {
      use(pair);
      uses.push(use);
    },
    stop: () => clearInterval(timer),
  };
}

/** Changes whenever one of the files changes, or the target of a symbolic link on the way to it. */
function stamp(files: string[]): string {
  return files.map(stampOf).join();
}

function stampOf(file: string): string {
  try {
    const { dev, ino, size, ctimeNs } = statSync(file, { bigint: true });
    return `${dev} ${ino} ${size} ${ctimeNs}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

function describe({ names, notAfter, expiresInSeconds }: CertificateState) {
  return {
    names: names.join(' '),
    expires: notAfter.toISOString(),
    days: Math.floor(expiresInSeconds / 86_400),
  };
}

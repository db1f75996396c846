import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

export interface CertificateFiles {
  cert: string;
  key: string;
}

export interface CertificateOptions {
  /** The subject, and the DNS name it is valid for. */
  name?: string;
  /** Days before it expires; -1: it expired a day ago. */
  days?: number;
  /** The issuer's certificate; self-signed by default. */
  issuer?: CertificateFiles;
}

/** Whether certificates can't be made here; if so, prints which tests are left out. */
export function withoutOpenssl(file: string): boolean {
  const missing = !Bun.which('openssl');
  if (missing) console.warn(`${file}: what needs TLS is skipped: openssl is not installed`);
  return missing;
}

/** Writes `PATH.pem` and `PATH.key`. */
export function makeCertificate(
  path: string,
  { name = 'localhost', days = 90, issuer }: CertificateOptions = {},
): CertificateFiles {
  const files = { cert: `${path}.pem`, key: `${path}.key` };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', files.key];
  openssl(['req', '-new', ...newKey, '-subj', `/CN=${name}`, '-out', `${path}.csr`]);
  const signer = issuer ? ['-CA', issuer.cert, '-CAkey', issuer.key, '-CAcreateserial'] : ['-signkey', files.key];
  writeFileSync(`${path}.ext`, `subjectAltName=DNS:${name},IP:127.0.0.1\nbasicConstraints=CA:${!issuer}\n`);
  const extensions = ['-extfile', `${path}.ext`];
  openssl(['x509', '-req', '-in', `${path}.csr`, ...signer, '-days', String(days), ...extensions, '-out', files.cert]);
  return files;
}

export function openssl(args: string[]) {
  const made = spawnSync('openssl', args, { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`openssl ${args.join(' ')}:\n${made.stderr}`);
}

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Config } from '../config/settings.ts';
import { OperatorError } from '../errors.ts';

/** What a certificate says about itself. */
export interface CertificateState {
  /** The names and addresses it is valid for. */
  names: string[];
  notAfter: Date;
  /** Negative once it has expired. */
  expiresInSeconds: number;
  /** It has expired, or will in less than 30 days. */
  expiresSoon: boolean;
}

/** In the form of node:tls. */
export interface CertificatePair {
  cert: string;
  key: string;
  ca: string | undefined;
  leaf: X509Certificate;
}

type TlsConfig = Config['tls'];

const SOON_SECONDS = 30 * 24 * 3600;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Reads the state of the files now; undefined if no certificate is configured. Throws an OperatorError if they can't be
 * used.
 */
export function certificateState(tls: TlsConfig, now = Date.now()): CertificateState | undefined {
  return tls.cert === undefined ? undefined : stateOf(readPair(tls).leaf, now);
}

export function stateOf(leaf: X509Certificate, now = Date.now()): CertificateState {
  const notAfter = new Date(leaf.validTo);
  const expiresInSeconds = Math.floor((notAfter.getTime() - now) / 1000);
  return { names: namesOf(leaf), notAfter, expiresInSeconds, expiresSoon: expiresSoon(notAfter, now) };
}

export function expiresSoon(notAfter: Date, now: number): boolean {
  return notAfter.getTime() - now < SOON_SECONDS * 1000;
}

/**
 * Reads and checks the files; throws an OperatorError that says which file is wrong and why, without any of the key.
 */
export function readPair({ cert: certFile, key: keyFile, client_ca: caFile }: TlsConfig): CertificatePair {
  const cert = read(certFile!, 'tls.cert');
  const key = read(keyFile!, 'tls.key');
  const ca = caFile === undefined ? undefined : read(caFile, 'tls.client_ca');
  const [leaf, ...chain] = certificatesIn(cert, certFile!, 'tls.cert');
  if (ca !== undefined) certificatesIn(ca, caFile!, 'tls.client_ca');
  const privateKey = privateKeyIn(key, keyFile!);
  if (!leaf!.checkPrivateKey(privateKey)) throw mismatch(certFile!, keyFile!, chain, privateKey);
  try {
    createSecureContext({ cert, key, ca });
  } catch (cause) {
    throw wrong(certFile!, 'tls.cert', `can't be used: ${(cause as Error).message}`, 'Have it issued again.', cause);
  }
  return { cert, key, ca, leaf: leaf! };
}

function read(file: string, setting: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw wrong(file, setting, 'does not exist', `Correct ${setting}.`, cause);
    if (code === 'EACCES')
      throw wrong(file, setting, 'may not be read by this user', `Let the user of the service read it.`, cause);
    throw wrong(file, setting, `can't be read: ${message}`, `Correct ${setting}.`, cause);
  }
}

function certificatesIn(pem: string, file: string, setting: string): X509Certificate[] {
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0)
    throw wrong(file, setting, 'holds no certificate', 'A PEM file has "-----BEGIN CERTIFICATE-----" in it.');
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw wrong(file, setting, `is damaged at certificate ${index + 1}`, 'Copy it again.', cause);
    }
  });
}

function privateKeyIn(pem: string, file: string): KeyObject {
  if (/ENCRYPTED/.test(pem))
    throw wrong(file, 'tls.key', 'is encrypted', 'Write it without a passphrase: openssl pkey -in KEY -out PLAIN_KEY.');
  try {
    return createPrivateKey(pem);
  } catch {
    // Not passed as the cause: its text might quote the file.
    throw wrong(file, 'tls.key', 'holds no private key', 'A PEM file has "PRIVATE KEY-----" in it.');
  }
}

function mismatch(certFile: string, keyFile: string, chain: X509Certificate[], key: KeyObject): OperatorError {
  if (chain.some(certificate => certificate.checkPrivateKey(key)))
    return wrong(
      certFile,
      'tls.cert',
      "does not begin with this server's certificate",
      'Put that first, the others after it.',
    );
  return new OperatorError(
    `the certificate in ${certFile} and the key in ${keyFile} do not belong together`,
    'Set tls.cert and tls.key to the files of one certificate.',
  );
}

function wrong(file: string, setting: string, what: string, remedy: string, cause?: unknown): OperatorError {
  return new OperatorError(`${setting}: ${file} ${what}`, remedy, { cause });
}

/** `DNS:a.example, IP Address:10.0.0.1` as a list; the subject if the certificate has no such names. */
function namesOf(leaf: X509Certificate): string[] {
  const names = leaf.subjectAltName?.split(', ').map(name => name.slice(name.indexOf(':') + 1));
  return names ?? [leaf.subject];
}

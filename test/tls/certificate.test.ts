import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../src/config/settings.ts';
import { createLog } from '../../src/log.ts';
import { openCertificate, type ServedCertificate } from '../../src/tls/certificate.ts';
import { certificateState } from '../../src/tls/pair.ts';
import { eventually } from '../executable/program.ts';
import { type CertificateFiles, makeCertificate, openssl, withoutOpenssl } from './certificates.ts';

const DAY_MS = 86_400_000;

let directory: string;
let first: CertificateFiles;
let second: CertificateFiles;
const path = (name: string) => join(directory, name);

function tls({ cert, key }: CertificateFiles, client_ca?: string): Config['tls'] {
  return { cert, key, client_ca, client_cert_fleets: [] };
}

describe.skipIf(withoutOpenssl('test/tls/certificate.test.ts'))('a certificate', () => {
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'telemetricsd-certificate-'));
    first = makeCertificate(path('first'), { name: 'first.example' });
    second = makeCertificate(path('second'), { name: 'second.example', issuer: first, days: 20 });
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test('tells its names and when it expires', () => {
    const now = Date.now();
    expect(certificateState(tls(first))).toMatchObject({
      names: ['first.example', '127.0.0.1'],
      expiresInSeconds: expect.closeTo((90 * DAY_MS) / 1000, -2),
      expiresSoon: false,
    });
    expect(certificateState(tls(second), now)).toMatchObject({ expiresSoon: true });
    expect(certificateState(tls(second), now + 21 * DAY_MS)!.expiresInSeconds).toBeLessThan(0);
    expect(certificateState({ ...tls(first), cert: undefined })).toBeUndefined();
  });

  describe('is refused with what is wrong with', () => {
    const write = (name: string, text: string) => {
      writeFileSync(path(name), text);
      return path(name);
    };
    const cases: [what: string, files: () => Config['tls'], message: RegExp][] = [
      [
        'files of two pairs',
        () => tls({ cert: first.cert, key: second.key }),
        /first\.pem and the key in .*second\.key do not belong/,
      ],
      ['a file that is not there', () => tls({ ...first, cert: path('none') }), /tls\.cert: .*none does not exist/],
      ['a directory', () => tls({ ...first, key: directory }), /tls\.key: .* can't be read/],
      ['an empty file', () => tls({ ...first, cert: write('empty', '') }), /tls\.cert: .*empty holds no certificate/],
      [
        'files the wrong way round',
        () => tls({ cert: first.key, key: first.cert }),
        /tls\.cert: .*first\.key holds no certificate/,
      ],
      [
        'a key that is none',
        () => tls({ ...first, key: write('no.key', 'secret stuff') }),
        /tls\.key: .*no\.key holds no private key/,
      ],
      ['a key with a passphrase', () => tls({ ...first, key: encrypted() }), /tls\.key: .*encrypted\.key is encrypted/],
      [
        'a damaged certificate',
        () => tls({ ...first, cert: write('bad', pem('AAAA')) }),
        /tls\.cert: .*bad is damaged at certificate 1/,
      ],
      [
        'a chain in the wrong order',
        () => tls({ cert: concatenated(first, second), key: second.key }),
        /does not begin with this server's certificate/,
      ],
      [
        'authorities that are none',
        () => tls(first, write('no-ca', 'nothing')),
        /tls\.client_ca: .*no-ca holds no certificate/,
      ],
    ];
    test.each(cases)('%s', (_, files, message) => {
      let error: unknown;
      try {
        certificateState(files());
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toMatchObject({
        name: 'OperatorError',
        message: expect.stringMatching(message),
        remedy: expect.stringMatching(/\.$/),
      });
      expect(Bun.inspect(error)).not.toContain('secret stuff');
    });

    function encrypted() {
      openssl(['pkey', '-in', first.key, '-aes256', '-passout', 'pass:x', '-out', path('encrypted.key')]);
      return path('encrypted.key');
    }
    function concatenated(...files: CertificateFiles[]) {
      writeFileSync(path('chain'), '');
      for (const { cert } of files) appendFileSync(path('chain'), Bun.spawnSync(['cat', cert]).stdout);
      return path('chain');
    }
    const pem = (text: string) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
  });

  test('is loaded with the chain behind it', () => {
    copyFileSync(second.cert, path('chained'));
    appendFileSync(path('chained'), Bun.spawnSync(['cat', first.cert]).stdout);
    expect(certificateState(tls({ cert: path('chained'), key: second.key }))!.names[0]).toBe('second.example');
  });

  describe('in use', () => {
    let lines: string[];
    let served: ServedCertificate | undefined;
    let now = 0;
    function open(files: CertificateFiles) {
      lines = [];
      now = Date.now();
      served = openCertificate(
        tls(files),
        createLog('info', 'text', line => lines.push(line)),
        () => now,
      );
      return served;
    }
    const logged = () => lines.join('');

    test('is replaced on demand; one that is no good is refused and the old one stays', async () => {
      const files = copyTo('live', first);
      const certificate = open(files);
      const used: string[] = [];
      certificate.onPair(pair => used.push(pair.leaf.subject));
      copyFileSync(second.cert, files.cert);
      certificate.reload();
      expect(certificate.refused).toContain('do not belong together');
      expect(logged()).toContain('the new certificate is refused, the old one stays in use');
      copyFileSync(second.key, files.key);
      certificate.reload();
      expect(certificate.refused).toBeUndefined();
      expect(used).toEqual(['CN=first.example', 'CN=second.example']);
      expect(certificate.state.names[0]).toBe('second.example');
      expect(logged()).toMatch(/warn +the certificate expires soon names="second.example 127.0.0.1" .*days=19/);
      const expired = makeCertificate(path('expired'), { days: -1 });
      copyFileSync(expired.cert, files.cert);
      copyFileSync(expired.key, files.key);
      certificate.reload();
      expect(certificate.refused).toContain('has expired');
      expect(certificate.state.names[0]).toBe('second.example');
      certificate.stop();
    });

    test('is replaced by itself when a link on the way to it leads elsewhere, as certbot and Kubernetes do', async () => {
      for (const [name, files] of [
        ['v1', first],
        ['v2', second],
      ] as const) {
        mkdirSync(path(name));
        copyFileSync(files.cert, path(`${name}/tls.crt`));
        copyFileSync(files.key, path(`${name}/tls.key`));
      }
      symlinkSync('v1', path('current'));
      const certificate = open({ cert: path('current/tls.crt'), key: path('current/tls.key') });
      const changed = new Promise<void>(resolve => {
        let calls = 0;
        certificate.onPair(() => ++calls === 2 && resolve());
      });
      symlinkSync('v2', path('next'));
      await rename(path('next'), path('current'));
      await changed;
      expect(certificate.state.names[0]).toBe('second.example');
      await rm(path('current'));
      await eventually('that it is gone is noticed', () => certificate.refused?.includes('does not exist'));
      expect(certificate.state.names[0]).toBe('second.example');
      certificate.stop();
    });

    test('that has expired is served all the same, and said to be', () => {
      open(makeCertificate(path('stale'), { days: -1 })).stop();
      expect(logged()).toContain('error the certificate has expired');
    });

    function copyTo(name: string, { cert, key }: CertificateFiles): CertificateFiles {
      copyFileSync(cert, path(`${name}.pem`));
      copyFileSync(key, path(`${name}.key`));
      return { cert: path(`${name}.pem`), key: path(`${name}.key`) };
    }
  });
});

import { describe, expect, test } from 'bun:test';
import { copyFileSync } from 'node:fs';
import { connect, type TLSSocket } from 'node:tls';
import { OTHER_TID, TID } from '../app.ts';
import { type CertificateFiles, makeCertificate, openssl, withoutOpenssl } from '../tls/certificates.ts';
import { missingFrom, startLoad } from './load.ts';
import { eventually, signal, workspace } from './program.ts';
import { exchange, get, headerRequest, openWire } from './wire.ts';

const SWAPS = 40;
const NEW_CONNECTIONS = 8;
/** The longest time, in case enough requests take longer. */
const SWAPPING_MS = 60_000;

const { start, run, path } = workspace();

describe.skipIf(withoutOpenssl('test/executable/tls.test.ts'))('over TLS', () => {
  test('the certificate is replaced many times under load, and no request is lost', async () => {
    const names = ['a.example', 'b.example'];
    const pairs = names.map(name => makeCertificate(path(name), { name }));
    const { program, files } = await startWith(pairs[0]!);
    const port = program.port;
    const load = startLoad({ https: port }, { connections: 32 });
    const connecting = postOnNewConnections(port);
    const { answers } = connecting;
    const enough = () => load.acknowledged.size > 1_000 && answers.size > 200;
    const deadline = Date.now() + SWAPPING_MS;
    for (let n = 1; n <= SWAPS || (!enough() && Date.now() < deadline); n++) {
      replace(files, pairs[n % 2]!);
      signal(program.pid, 'SIGHUP');
      await Bun.sleep(50);
      const name = names[n % 2];
      await eventually(`${name} is shown`, async () => (await nameShown(port)) === name);
    }
    await connecting.stop();
    await load.stop();
    expect(program.output().match(/the certificate is loaded/g)!.length).toBeGreaterThanOrEqual(SWAPS);
    expect({ broken: load.broken, statuses: load.statuses }).toEqual({
      broken: 0,
      statuses: { 201: load.acknowledged.size },
    });
    expect(load.acknowledged.size).toBeGreaterThan(1_000);
    expect(answers.size).toBeGreaterThan(200);
    expect([...answers.values()].filter(answer => answer !== 201)).toEqual([]);
    const sql = program.sql();
    expect(await missingFrom(sql, load.acknowledged)).toEqual([]);
    await sql.end({ timeout: 5 });
    expect((await program.stop()).code).toBe(0);
  });

  test('changed files are noticed; a pair that does not match is refused and the old one stays', async () => {
    const old = makeCertificate(path('old.example'), { name: 'old.example' });
    const fresh = makeCertificate(path('new.example'), { name: 'new.example' });
    const { program, files } = await startWith(old);
    copyFileSync(fresh.cert, files.cert);
    await eventually('it is refused', () =>
      program.output().includes('the new certificate is refused, the old one stays in use'),
    );
    expect(await nameShown(program.port)).toBe('old.example');
    expect((await exchange({ https: program.port }, get('/metrics'))).text).toContain(
      '\ntelemetricsd_certificate_refused 1\n',
    );
    copyFileSync(fresh.key, files.key);
    await eventually('it is taken', async () => (await nameShown(program.port)) === 'new.example');
    const { text } = await exchange({ https: program.port }, get('/metrics'));
    expect(text).toContain('\ntelemetricsd_certificate_refused 0\n');
    const expiry = Number(/^telemetricsd_certificate_expiry_timestamp_seconds (\d+)$/m.exec(text)![1]);
    expect(expiry - Date.now() / 1000).toBeWithin(89 * 86_400, 90 * 86_400);
    expect((await program.stop()).code).toBe(0);
  });

  test('a fleet that needs certificates is refused without one, naming the rule', async () => {
    const ca = makeCertificate(path('machines-ca'), { name: 'machines' });
    const machine = makeCertificate(path('machine'), { name: 'm1', issuer: ca });
    const expired = makeCertificate(path('expired'), { name: 'm2', issuer: ca, days: -1 });
    const stranger = makeCertificate(path('stranger'), { name: 'm3', issuer: makeCertificate(path('other-ca')) });
    const { program } = await startWith(makeCertificate(path('front')), {
      TELEMETRICSD_HTTP_LISTEN: 'https://127.0.0.1:0,127.0.0.1:0',
      TELEMETRICSD_COLLECTOR_TIDS: `${TID}=desktops,${OTHER_TID}=servers`,
      TELEMETRICSD_TLS_CLIENT_CA: ca.cert,
      TELEMETRICSD_TLS_CLIENT_CERT_FLEETS: 'servers',
    });
    const [https, plain] = program.ports as [number, number];
    const request = () => headerRequest('hello\n', { tid: OTHER_TID });
    const rule =
      'machines of the fleet "servers" must show a certificate signed by tls.client_ca (tls.client_cert_fleets)';
    const place = (client: CertificateFiles) => ({ https, client });
    expect((await exchange(place(machine), request())).status).toBe(201);
    expect(await exchange({ https }, request())).toMatchObject({
      status: 403,
      json: { message: `${rule}: none was shown` },
    });
    for (const client of [expired, stranger]) {
      const { status, json } = await exchange(place(client), request());
      expect({ status, json }).toEqual({
        status: 403,
        json: { message: expect.stringMatching(/: the one shown is not accepted \([A-Z_]+\)$/) },
      });
    }
    expect(await exchange(plain, request())).toMatchObject({
      status: 403,
      json: { message: `${rule}: this connection carries none` },
    });
    for (const other of [plain, { https }, place(machine), place(stranger)])
      expect((await exchange(other, headerRequest('hello\n', { tid: TID }))).status).toBe(201);
    expect(program.output()).toContain('turned away records of a fleet fleet=servers result=forbidden');
    expect((await program.stop()).code).toBe(0);
  });

  test('a plain address leads to the pages under https://, or takes records only', async () => {
    const https = freePort();
    const { program } = await startWith(makeCertificate(path('redirected')), {
      TELEMETRICSD_HTTP_LISTEN: `https://127.0.0.1:${https},127.0.0.1:0=redirect,127.0.0.1:0=collector`,
    });
    const [, redirect, collector] = program.ports as [number, number, number];
    for (const request of [get('/telemetryui/records?build=1', 'stats.example:80'), get('/', 'stats.example')]) {
      const { status, headers } = await exchange(redirect, request);
      expect(status).toBe(308);
      expect(headers.location).toStartWith(`https://stats.example:${https}/`);
    }
    expect((await exchange(redirect, headerRequest('hello\n'))).status).toBe(308);
    expect((await exchange(redirect, get('/readyz'))).status).toBe(200);
    expect((await exchange(collector, headerRequest('hello\n'))).status).toBe(201);
    expect((await exchange(collector, get('/telemetryui'))).status).toBe(404);
    const connect = await fetch(`https://localhost:${https}/telemetryui/connect`, {
      tls: { rejectUnauthorized: false },
    });
    expect(await connect.text()).toContain(`curl -fsS https://localhost:${https}/probe/`);
    expect((await program.stop()).code).toBe(0);
  });

  test('connections without TLS or with old versions of it are refused', async () => {
    const { program } = await startWith(makeCertificate(path('strict')));
    const wire = await openWire(program.port);
    wire.write(headerRequest('hello\n'));
    expect(await wire.closed).not.toContain('201');
    const old = connect({ port: program.port, rejectUnauthorized: false, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' });
    expect(
      await new Promise(resolve => old.once('error', resolve).once('secureConnect', () => resolve('connected'))),
    ).toBeInstanceOf(Error);
    expect((await exchange({ https: program.port }, get('/healthz'))).status).toBe(200);
    expect(program.output()).toMatch(/info +a TLS handshake failed address=127\.0\.0\.1 reason=/);
    expect((await program.stop()).code).toBe(0);
  });

  test('every cipher has forward secrecy', async () => {
    const [cert, key] = [path('rsa.pem'), path('rsa.key')];
    openssl(['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-subj', '/CN=localhost']);
    const { program } = await startWith({ cert, key });
    const agreed = (ciphers: string) => {
      const socket = connect({ port: program.port, rejectUnauthorized: false, maxVersion: 'TLSv1.2', ciphers });
      const result = new Promise(resolve =>
        socket.once('error', () => resolve(undefined)).once('secureConnect', () => resolve(socket.getCipher().name)),
      );
      return result.finally(() => socket.destroy());
    };
    for (const old of ['AES128-SHA', 'AES256-GCM-SHA384', 'ECDHE-RSA-AES128-SHA', 'DES-CBC3-SHA'])
      expect([old, await agreed(old)]).toEqual([old, undefined]);
    for (const modern of ['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-CHACHA20-POLY1305'])
      expect(await agreed(modern)).toBe(modern);
    expect((await program.stop()).code).toBe(0);
  });

  test('a start with files that do not belong together says so', async () => {
    const { cert } = makeCertificate(path('one'));
    const { key } = makeCertificate(path('another'));
    const { code, stderr } = await run(['serve'], { env: settingsFor({ cert, key }) });
    expect(code).toBe(1);
    expect(stderr).toContain(
      `the certificate in ${cert} and the key in ${key} do not belong together\nSet tls.cert and tls.key`,
    );
  });
});

test('SIGHUP without a certificate stops nothing', async () => {
  const program = await start();
  signal(program.pid, 'SIGHUP');
  await eventually('it says so', () => program.output().includes('other settings are read at the start only'));
  expect((await exchange(program.port, get('/healthz'))).status).toBe(200);
  expect((await program.stop()).code).toBe(0);
});

async function startWith(pair: CertificateFiles, env: Record<string, string> = {}) {
  const files = { cert: path(`live-${crypto.randomUUID()}.pem`), key: path(`live-${crypto.randomUUID()}.key`) };
  replace(files, pair);
  return { program: await start({ env: { ...settingsFor(files), ...env } }), files };
}

function settingsFor({ cert, key }: CertificateFiles) {
  return { TELEMETRICSD_HTTP_LISTEN: 'https://127.0.0.1:0', TELEMETRICSD_TLS_CERT: cert, TELEMETRICSD_TLS_KEY: key };
}

function replace(files: CertificateFiles, by: CertificateFiles) {
  copyFileSync(by.cert, files.cert);
  copyFileSync(by.key, files.key);
}

function freePort(): number {
  const taken = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } });
  taken.stop(true);
  return taken.port;
}

/** Posts each record on its own connection, as machines do. */
function postOnNewConnections(port: number) {
  const answers = new Map<number, number | string>();
  let [sent, stopping] = [0, false];
  const clients = Array.from({ length: NEW_CONNECTIONS }, async () => {
    while (!stopping) {
      const n = sent++;
      const answer = exchange({ https: port }, headerRequest(`number ${n}\n`));
      answers.set(
        n,
        await answer.then(
          ({ status }) => status,
          error => String(error),
        ),
      );
    }
  });
  return {
    answers,
    async stop() {
      stopping = true;
      await Promise.all(clients);
    },
  };
}

/** The name in the certificate that a new connection gets. */
async function nameShown(port: number): Promise<string> {
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
}

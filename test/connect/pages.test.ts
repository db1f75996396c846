import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../src/app.ts';
import { servesPages } from '../../src/config/listener.ts';
import { SENDS } from '../../src/probe/sends.ts';
import { appOn, get, getPage, OTHER_TID, post, type TestApp, TID, testApp, testConfig } from '../app.ts';
import { quietLog } from '../database.ts';

const LIST = '/telemetryui/records';
const SYSTEMD = '/telemetryui/connect';
const TELEMETRICS = `${SYSTEMD}?way=telemetrics`;
const CURL = `${SYSTEMD}?way=curl`;
const ABRT = `${SYSTEMD}?way=abrt`;

let server: TestApp;
beforeAll(async () => {
  server = await testApp();
});
afterAll(() => server.close());

describe('connecting machines', () => {
  test('shows the lines for each fleet with this host, and commands that send a record', async () => {
    const { html } = await getPage(server.app, TELEMETRICS);
    expect(html).toContain('server=http://localhost:8080/v2/collector\ntidheader=X-Telemetry-TID: 6907c830-');
    expect(html).toContain(`tidheader=X-Telemetry-TID: ${OTHER_TID}`);
    expect(html).toContain('telem-record-gen -c org.example/connect/test');
    expect((await getPage(server.app, CURL)).html).toContain('curl -s http://localhost:8080/v2/collector');
    expect(html).toContain('Other machines cannot reach this server yet');
    const order = [
      'cp -n /usr/share/defaults/',
      '[settings]',
      'telemctl opt-in',
      'telemctl restart',
      'Nothing arrives?',
    ];
    const places = order.map(text => html.indexOf(text));
    expect(places).toEqual(places.filter(at => at > 0).sort((a, b) => a - b));
    expect(html).not.toContain('cainfo=');
  });

  test.each([
    [
      'as clients since 2.3 ship it',
      '# server address\n[settings]\n#server=\n#cainfo=\n#tidheader=X-Telemetry-TID:\\s0\n',
    ],
    ['as 1.x ships it', '[settings]\nserver=http://old.example/v2/collector\ncainfo=\ntidheader=X-Telemetry-TID: 0\n'],
  ])('its command sets both lines in a configuration %s', async (_, shipped) => {
    const { html } = await getPage(server.app, TELEMETRICS);
    const [, line = ''] = /<code id="set-6907[^"]*">sudo (.*?)<\/code>/.exec(html) ?? [];
    const file = join(tmpdir(), `telemetricsd-test-${process.pid}.conf`);
    writeFileSync(file, shipped);
    const command = line.replaceAll('&#39;', "'").replace('/etc/telemetrics/telemetrics.conf', file);
    expect(Bun.spawnSync(['sh', '-c', command]).exitCode).toBe(0);
    const set = readFileSync(file, 'utf8');
    rmSync(file);
    expect(set.split('\n').filter(text => /^(server|tidheader)=/.test(text))).toEqual([
      'server=http://localhost:8080/v2/collector',
      'tidheader=X-Telemetry-TID: 6907c830-eed9-4ce9-81ae-76daf8d88f0f',
    ]);
  });

  const ELSEWHERE = 'resolve the name <code>';
  test.each([
    [':8391=collector,127.0.0.1:8392=pages', 'localhost:8392', `http://${hostname()}:8391`, hostname()],
    ['0.0.0.0:8391', '127.0.0.1:8391', `http://${hostname()}:8391`, hostname()],
    ['[::]:8391', '[::1]:8391', `http://${hostname()}:8391`, hostname()],
    ['127.0.0.1:8392,:8391=collector', 'localhost:8392', `http://${hostname()}:8391`, hostname()],
    ['stats.example:80=collector,127.0.0.1:8392=pages', 'localhost:8392', 'http://stats.example', 'stats.example'],
    ['192.0.2.1:8391=collector,127.0.0.1:8392=pages', 'localhost:8392', 'http://192.0.2.1:8391', undefined],
    ['[2001:db8::1]:8391=collector,127.0.0.1:8392=pages', 'localhost:8392', 'http://[2001:db8::1]:8391', undefined],
    [':8391=collector,192.0.2.1:8392=pages', '192.0.2.1:8392', 'http://192.0.2.1:8391', undefined],
    ['127.0.0.1:8391', '127.0.0.1:8391', 'http://127.0.0.1:8391', undefined],
    ['[::1]:8391', '[::1]:8391', 'http://[::1]:8391', undefined],
  ])('with the listeners %s, reached as %s, names %s', async (listen, Host, base, named) => {
    const config = testConfig({ TELEMETRICSD_HTTP_LISTEN: listen, TELEMETRICSD_ACCESS_ALLOW_OPEN: 'true' });
    const app = createApp({ ...server, config, log: quietLog }, config.http.listen.find(servesPages)!);
    const read = async (path: string) => (await app.request(`http://${Host}${path}`, { headers: { Host } })).text();
    const html = await read(TELEMETRICS);
    expect(html).toContain(`server=${base}/v2/collector\n`);
    expect(await read(CURL)).toContain(`curl -s ${base}/v2/collector`);
    expect(await read(SYSTEMD)).toContain(`curl -fsSo install-probe.sh ${base}/probe/${TID}`);
    if (named) expect(html).toContain(`${ELSEWHERE}${named}</code>`);
    else expect(html).not.toContain(ELSEWHERE);
  });

  test('with http.public_url, names that', async () => {
    const config = testConfig({
      TELEMETRICSD_HTTP_LISTEN: ':8391=collector,127.0.0.1:8392=pages',
      TELEMETRICSD_HTTP_PUBLIC_URL: 'https://stats.example',
    });
    const { html } = await getPage((await appOn(server.database, config)).app, TELEMETRICS);
    expect(html).toContain('server=https://stats.example/v2/collector\n');
    expect(html).toContain('cainfo=');
    expect(html).not.toContain(ELSEWHERE);
  });

  test('shows the first record arriving, and those after it', async () => {
    const { html } = await getPage(server.app, SYSTEMD);
    const arrivals = /hx-get="([^"]+)"/.exec(html)![1]!;
    expect(arrivals).toBe('/telemetryui/connect/arrivals?since=0');
    expect((await getPage(server.app, arrivals)).html).toContain('Waiting for the first record');

    const { json } = await post(server.app, { machine_id: 'newcomer' });
    const arrived = await getPage(server.app, arrivals);
    expect(arrived.html).toContain('The first record has arrived');
    expect(arrived.html).toContain(`href="${LIST}/record_details/${json.id}"`);
    expect(arrived.html).toContain('newcomer');

    const later = `/telemetryui/connect/arrivals?since=${json.id}`;
    expect((await getPage(server.app, SYSTEMD)).html).toContain(later);
    expect((await getPage(server.app, later)).html).toContain('Waiting for a record after record');
    expect((await getPage(server.app, '/telemetryui/connect?since=0')).html).toContain('newcomer');
  });

  test.each(['abc', '-1', '²', '9007199254740992', '%00'])('refuses to wait for what comes after %s', async since => {
    for (const path of [SYSTEMD, '/telemetryui/connect/arrivals']) {
      expect((await get(server.app, `${path}?since=${since}`)).status).toBe(400);
    }
  });
});

describe('a machine with ABRT', () => {
  test.each([
    ['as it is shipped', '# URL = https://retrace.example/faf\n\n# AuthDataItems = hostname, machineid\n'],
    ['with settings', 'URL = https://old.example/faf\nSSLVerify = no\nIncludeAuthData=no\nAuthDataItems = hostname'],
  ])('its commands set and take out three lines of a configuration %s', async (_, shipped) => {
    const { html } = await getPage(server.app, ABRT);
    const file = join(tmpdir(), `telemetricsd-test-${process.pid}.conf`);
    writeFileSync(file, shipped);
    const run = (id: string) => {
      const [, line = ''] = new RegExp(`<code id="${id}">sudo (.*?)</code>`).exec(html) ?? [];
      const command = line
        .replaceAll('&#39;', "'")
        .replaceAll('&quot;', '"')
        .replaceAll('&gt;', '>')
        .replaceAll('&amp;', '&');
      expect(
        Bun.spawnSync(['sh', '-c', command.replaceAll('/etc/libreport/plugins/ureport.conf', file)]).exitCode,
      ).toBe(0);
      return readFileSync(file, 'utf8')
        .split('\n')
        .filter(line => /^[^#]/.test(line));
    };
    const others = shipped.split('\n').filter(line => line.startsWith('SSLVerify'));
    const set = [`URL = http://localhost:8080/abrt/${TID}`, 'IncludeAuthData = yes', 'AuthDataItems = machineid'];
    expect(run(`set-${TID}`)).toEqual([...others, ...set]);
    expect(run(`set-${OTHER_TID}`)).toEqual([...others, set[0]!.replace(TID, OTHER_TID), ...set.slice(1)]);
    expect(run('undo')).toEqual(others);
    rmSync(file);
  });
});

describe('a machine with systemd', () => {
  test('without TLS, downloads an installer whose hash the page shows, for each fleet', async () => {
    const { html } = await getPage(server.app, SYSTEMD);
    expect(html).not.toContain('| sudo sh</code>');
    for (const tid of [TID, OTHER_TID]) {
      const [, url] = new RegExp(`curl -fsSo install-probe.sh (http://localhost:8080/probe/${tid})<`).exec(html)!;
      const [, sha256] = new RegExp(
        `id="install-${tid}">echo &#39;([0-9a-f]{64})  install-probe.sh&#39; \\| sha256sum -c`,
      ).exec(html)!;
      const body = await (await server.app.request(url!, { headers: { Host: 'localhost:8080' } })).bytes();
      expect(new Bun.CryptoHasher('sha256').update(body).digest('hex')).toBe(sha256!);
    }
  });

  test('over https runs it from the pipe', async () => {
    const config = testConfig({ TELEMETRICSD_HTTP_PUBLIC_URL: 'https://stats.example' });
    const { html } = await getPage((await appOn(server.database, config)).app, SYSTEMD);
    expect(html).toContain(`curl -fsS https://stats.example/probe/${TID} | sudo sh</code>`);
    expect(html).not.toContain('sha256sum');
  });

  test('is told all that is sent, and how to undo it', async () => {
    const { html } = await getPage(server.app, SYSTEMD);
    const readme = readFileSync(join(import.meta.dir, '../../src/probe/README.md'), 'utf8');
    for (const { classification, severity, send } of SENDS) {
      // It may be broken between its parts.
      expect(html.replaceAll('<wbr/>', '')).toContain(classification);
      expect(readme).toMatch(new RegExp(`^\\| \`${classification}\` +\\| ${severity} +\\|.*\`${send}\``, 'm'));
    }
    expect(readme.match(/^\| `telemetricsd\//gm)).toHaveLength(SENDS.length);
    expect(html).toContain('COREDUMP_SIGNAL_NAME');
    expect(html).toContain('sudo telemetricsd-probe uninstall');
  });

  test('a way that is none is refused', async () => {
    expect((await get(server.app, `${SYSTEMD}?way=pigeon`)).status).toBe(400);
  });
});

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { getJson, getPage, post } from '../app.ts';
import { type CrashApp, crashApp } from './crash-app.ts';

let server: CrashApp;
beforeAll(async () => {
  server = await crashApp();
  const beats = Array.from({ length: 40 }, (_, n) =>
    post(server.app, { machine_id: `m${n}`, build: n < 30 ? '1' : '2', classification: 'a/heartbeat/ping' }),
  );
  await Promise.all(beats);
  // The first two send heartbeats; the third does not. Each crashes three times.
  for (const machine_id of ['m1', 'm2', 'silent'])
    for (let n = 0; n < 3; n++) await server.crash(['often()', 'main()'], { machine_id, build: '1' });
  await server.crash(['everywhere()', 'main()'], { machine_id: 'm3', build: '1' });
  for (const machine_id of ['m31', 'm32', 'm33'])
    await server.crash(['everywhere()', 'main()'], { machine_id, build: '2' });
  await server.analyse();
});
afterAll(() => server.close());

test('a guilty has its machines on the machine-days of the window, and guilties are ordered by that', async () => {
  const { json } = await getJson(server.app, '/api/guilties?sort=rate');
  expect(json.guilties).toMatchObject([
    { function: 'everywhere()', records: 4, machines: 4, affected: 4, machine_days: 40, per_1000: 100 },
    { function: 'often()', records: 9, machines: 3, affected: 2, machine_days: 40, per_1000: 50 },
  ]);
  expect(json.guilties[0].per_1000_low).toBeCloseTo(39.6, 1);
  expect(json.guilties[0].per_1000_high).toBeCloseTo(230.5, 1);
});

test('of one build, those of the build count on its own machine-days', async () => {
  const { json } = await getJson(server.app, '/api/guilties?sort=rate&os=clear-linux-os&build=1');
  expect(json.guilties).toMatchObject([
    { function: 'often()', machines: 3, affected: 2, machine_days: 30 },
    { function: 'everywhere()', machines: 1, affected: 1, machine_days: 30 },
  ]);
});

test('by build, a guilty has a rate where there are enough machine-days', async () => {
  const { json } = await getJson(server.app, '/api/guilties');
  const { id } = json.guilties.find((row: { function: string }) => row.function === 'everywhere()');
  const { builds } = (await getJson(server.app, `/api/guilties/${id}?sort=rate`)).json;
  expect(builds).toMatchObject([
    { build: '1', machines: 1, affected: 1, machine_days: 30, per_1000: 33.333 },
    { build: '2', machines: 3, affected: 3, machine_days: 10, per_1000: null },
  ]);
  const { html } = await getPage(server.app, `/telemetryui/crashes/guilty_details/${id}`);
  expect(html).toContain('too few machines');
});

test('the page says how many machines are in no rate', async () => {
  const { html } = await getPage(server.app, '/telemetryui/crashes?sort=rate');
  expect(html.replaceAll(/<[^>]+>/g, '').replaceAll(/\s+/g, ' ')).toContain(
    '1 of 7 machines with program crashes sent no heartbeat in its 3 days and is in no rate.',
  );
});

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { get, getJson, post, postJson, recordJson, type TestApp, testApp } from './app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await testApp();
});
afterAll(() => server.close());

test('a record goes in and comes out', async () => {
  const { status, json } = await post(server.app, { machine_id: 'in-and-out' });
  expect(status).toBe(201);
  const stored = await getJson(server.app, `/api/records/${json.id}`);
  expect(stored.json).toEqual(json);
  const page = await get(server.app, '/telemetryui/records?machine_id=in-and-out');
  expect(await page.text()).toContain('in-and-out');
});

test('both wire formats store the same record', async () => {
  const fields = { machine_id: 'both-formats' };
  const headers = await post(server.app, fields, 'one');
  const json = await postJson(server.app, recordJson(fields, 'two'));
  const { id: _, ts_reception: __, payload: ___, ...first } = headers.json;
  expect(json.json).toMatchObject(first);
});

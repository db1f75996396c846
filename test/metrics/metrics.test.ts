import { afterAll, beforeAll, expect, test } from 'bun:test';
import { get, post, postJson, TID } from '../app.ts';
import { type CrashApp, crashApp } from '../crashes/crash-app.ts';

let app: CrashApp;
beforeAll(async () => {
  app = await crashApp();
});
afterAll(() => app.close());

async function scrape(): Promise<Map<string, number>> {
  const answer = await get(app.app, '/metrics');
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toStartWith('text/plain; version=0.0.4');
  const lines = (await answer.text()).trimEnd().split('\n');
  for (const line of lines)
    expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? -?[\d.e+-]+)$/);
  return new Map(
    lines
      .filter(line => !line.startsWith('#'))
      .map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

test('tell what was answered, committed, refused and waits, in the format of Prometheus', async () => {
  const before = await scrape();
  expect(before.get('telemetricsd_last_record_timestamp_seconds')).toBe(0);
  const long = 'x'.repeat(20_000);
  await post(app.app, {}, long);
  await app.crash(['a()', 'main()']);
  await post(app.app, { severity: '9' });
  await postJson(app.app, '{', { 'X-Telemetry-TID': TID });
  const after = await scrape();
  expect(after.get('telemetricsd_answers_total{status="201"}')).toBe(2);
  expect(after.get('telemetricsd_answers_total{status="400"}')).toBe(2);
  expect(after.get('telemetricsd_requests_total{fleet="default",result="stored"}')).toBe(2);
  expect(after.get('telemetricsd_requests_total{fleet="default",result="quarantined"}')).toBe(2);
  expect(after.get('telemetricsd_answer_seconds_count')).toBe(4);
  expect(after.get('telemetricsd_answer_seconds_bucket{le="+Inf"}')).toBe(4);
  expect(after.get('telemetricsd_batch_records_sum')).toBe(2);
  expect(after.get('telemetricsd_quarantine_records')).toBe(2);
  expect(after.get('telemetricsd_analysis_waiting_records')).toBe(1);
  expect(after.get('telemetricsd_parsing_waiting_records')).toBe(1);
  expect(after.get('telemetricsd_database_bytes')).toBeGreaterThan(1_000_000);
  expect(after.get('telemetricsd_last_record_timestamp_seconds')).toBeCloseTo(Date.now() / 1000, -2);
  await app.analyse();
  expect((await scrape()).get('telemetricsd_analysis_waiting_records')).toBe(0);
});

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Browser, Page } from 'playwright-core';
import { launchChromium, visit as visitPage, withoutChromium } from '../chromium.ts';
import { eventually, type Program, workspace } from './program.ts';
import { exchange, headerRequest } from './wire.ts';

describe.skipIf(withoutChromium('test/executable/browser.test.ts'))('in a browser', () => {
  const { start } = workspace();
  let program: Program;
  let browser: Browser;
  let newest: number;

  beforeAll(async () => {
    [program, browser] = await Promise.all([start(), launchChromium()]);
    for (let n = 1; n <= 120; n++) {
      const crash = n % 4 === 0;
      newest = await post({
        classification: crash ? 'org.clearlinux/crash/clr' : 'org.clearlinux/hello/world',
        severity: crash ? '3' : '1',
        build: `${43_000 + (n % 2)}`,
        machine_id: n === 7 ? `machine-${'7'.repeat(24)}` : 'a-machine',
        event_id: n.toString(16).padStart(32, '0'),
      });
    }
    for (const severity of ['7', '8', '9'])
      await exchange(program.port, headerRequest('refused\n', { headers: { severity } }));
  });

  afterAll(async () => {
    await browser?.close();
  });

  async function post(headers: Record<string, string>): Promise<number> {
    const { status, json } = await exchange(
      program.port,
      headerRequest('first line\nsecond <b>line</b>\n', { headers }),
    );
    expect(status).toBe(201);
    return json.id;
  }

  /** Opens a page for `work`; fails where the browser complained about anything. */
  async function visit(path: string, work: (page: Page) => Promise<void>, options = {}, expectedStatus?: number) {
    const base = `http://127.0.0.1:${program.port}`;
    expect(await visitPage(browser, base, path, work, { options, expectedStatus })).toEqual([]);
  }

  const rows = (page: Page) => page.locator('table.records tbody tr');
  const severity = (page: Page) => page.getByLabel('Severity').inputValue();

  async function expectRows(page: Page, count: number) {
    await rows(page)
      .nth(count - 1)
      .waitFor();
    expect(await rows(page).count()).toBe(count);
  }

  test('the records page draws, newest first', () =>
    visit('/', async page => {
      expect(new URL(page.url()).pathname).toBe('/telemetryui');
      await page.getByRole('link', { name: 'Records', exact: true }).click();
      await page.waitForURL('**/telemetryui/records');
      expect(await page.title()).toBe('Records · telemetricsd');
      await expectRows(page, 50);
      expect(await rows(page).first().locator('td').first().textContent()).toBe(String(newest));
      expect(await page.locator('#results [role=status]').textContent()).toBe('120 records found');
      const linked = await page.locator('link[rel=stylesheet]').count();
      expect(await page.evaluate('document.styleSheets.length')).toBe(linked);
    }));

  test('a filter changes list and address without loading the page, and Back takes it away', () =>
    visit('/telemetryui/records', async page => {
      await page.evaluate('window.stayed = true');
      await page.getByLabel('Severity').selectOption('3');
      await page.waitForURL('**/records?severity=3');
      await page.getByText('30 records found').waitFor();
      expect(await page.evaluate('window.stayed')).toBe(true);
      await expectRows(page, 30);
      await page.getByLabel('Build').fill('43000');
      await page.getByLabel('Build').press('Enter');
      await page.waitForURL('**/records?build=43000&severity=3');
      await page.getByRole('link', { name: 'Remove filter Severity' }).click();
      await page.waitForURL('**/records?build=43000');
      await eventually('no severity is chosen', async () => (await severity(page)) === '');
      await page.goBack();
      await page.waitForURL('**/records?build=43000&severity=3');
      await page.goBack();
      await page.waitForURL('**/records?severity=3');
      await page.getByText('30 records found').waitFor();
      await eventually('the severity is chosen again', async () => (await severity(page)) === '3');
    }));

  test('what a filter does not take is said at its field', () =>
    visit(
      '/telemetryui/records',
      async page => {
        await page.getByLabel('Machine id').fill('x'.repeat(40));
        const answered = page.waitForResponse(response => response.status() === 400);
        await page.getByRole('button', { name: 'Search' }).click();
        await answered;
        await page.getByText('Nothing was searched').waitFor();
        expect(await page.getByLabel('Machine id').getAttribute('aria-invalid')).toBe('true');
      },
      {},
      400,
    ));

  test('older and newer walk through all records', () =>
    visit('/telemetryui/records', async page => {
      const seen: string[] = [];
      for (let n = 0; n < 3; n++) {
        if (n > 0) await walk(page, 'Older');
        seen.push(...(await page.locator('table.records tbody td:first-child').allTextContents()));
      }
      expect(new Set(seen).size).toBe(120);
      expect(await page.getByRole('link', { name: 'Older' }).count()).toBe(0);
      await walk(page, 'Newer');
      await walk(page, 'Newer');
      expect(await rows(page).first().locator('td').first().textContent()).toBe(String(newest));
    }));

  async function walk(page: Page, direction: string) {
    const before = page.url();
    await page.getByRole('link', { name: direction }).first().click();
    await page.waitForURL(url => url.href !== before);
    await page.locator('.htmx-request').waitFor({ state: 'detached' });
  }

  test('a payload opens in its row, and a record has a page of its own', () =>
    visit('/telemetryui/records', async page => {
      const payload = rows(page).first().locator('details.payload');
      expect(await payload.locator('pre').isVisible()).toBe(false);
      await payload.locator('summary').click();
      expect(await payload.locator('pre').textContent()).toBe('first line\nsecond <b>line</b>');
      await rows(page)
        .first()
        .getByRole('link', { name: String(newest), exact: true })
        .click();
      await page.waitForURL(`**/record_details/${newest}`);
      expect(await page.locator('h1').textContent()).toBe(`Record ${newest}`);
      expect(await page.locator('#payload').textContent()).toBe('first line\nsecond <b>line</b>\n');
      await page.getByRole('link', { name: 'Older record of this machine' }).click();
      await page.waitForURL(`**/record_details/${newest - 1}`);
    }));

  test('the connect page shows a record arrive by itself', () =>
    visit('/telemetryui/connect', async page => {
      expect(await page.locator('main').textContent()).toContain(`http://127.0.0.1:${program.port}/probe/`);
      await page.getByText('Waiting for a record after record').waitFor();
      const id = await post({ classification: 'org.example/connect/test', system_name: 'arrival' });
      await page.getByRole('link', { name: `record ${id}` }).waitFor();
      await page.getByRole('link', { name: `record ${id}` }).click();
      await page.waitForURL(`**/record_details/${id}`);
    }));

  test('quarantine: from the list to an entry, replayed in vain, one discarded, then all of a reason', () =>
    visit('/telemetryui/quarantine', async page => {
      const entries = page.getByLabel('Refused records').locator('tbody tr');
      expect(await entries.count()).toBe(3);
      await entries.first().locator('a').first().click();
      await page.waitForURL('**/quarantine/*');
      expect(await page.locator('tr.at-fault').textContent()).toContain('severity');
      await page.getByRole('button', { name: 'Replay', exact: true }).click();
      await page.getByText("1 record still can't be stored").waitFor();
      await entries.first().locator('a').first().click();
      await page.getByText('Discard…', { exact: true }).click();
      await page.getByRole('button', { name: 'Discard', exact: true }).click();
      await page.getByText('Discarded 1 record.').waitFor();
      await page.getByLabel('Reasons').locator('a').first().click();
      await page
        .getByText(/^Discard 1 record/)
        .first()
        .click();
      await page.getByRole('button', { name: 'Discard 1 record' }).click();
      await page.getByText('Discarded 1 record.').waitFor();
      await eventually('one is left', async () => (await entries.count()) === 1);
    }));

  test('all can be read and done without JavaScript', () =>
    visit(
      '/telemetryui/records?severity=3',
      async page => {
        await expectRows(page, 30);
        await page.getByLabel('Build').fill('43000');
        await page.getByRole('button', { name: 'Search' }).click();
        await page.waitForURL(url => url.searchParams.get('build') === '43000');
        await expectRows(page, 30);
        await page.goto('/telemetryui/records');
        const newer = page.url();
        await page.getByRole('link', { name: 'Older' }).first().click();
        await page.waitForURL(url => url.href !== newer);
        await expectRows(page, 50);
        await rows(page).first().locator('details.payload summary').click();
        expect(await rows(page).first().locator('pre').isVisible()).toBe(true);
        await page.goto('/telemetryui/quarantine');
        await page.getByLabel('Refused records').locator('a').first().click();
        await page.getByText('Discard…', { exact: true }).click();
        await page.getByRole('button', { name: 'Discard', exact: true }).click();
        await page.getByText('Nothing in quarantine').waitFor();
        await page.goto('/telemetryui/connect');
        const id = await post({ classification: 'org.example/connect/test', system_name: 'no-script' });
        await page.getByRole('link', { name: 'Look again' }).click();
        await page.getByRole('link', { name: `record ${id}` }).waitFor();
      },
      { javaScriptEnabled: false },
    ));

  test('nothing is wider than a screen of 400 pixels, and dark mode is dark', async () => {
    const id = await post({ machine_id: 'm'.repeat(32), board_name: 'b'.repeat(190), host_type: 'h'.repeat(240) });
    await exchange(
      program.port,
      headerRequest('x'.repeat(2_000), { headers: { severity: '6', build: 'b'.repeat(250) } }),
    );
    const paths = [
      'records',
      'records?severity=3',
      `records/record_details/${id}`,
      'connect',
      'quarantine',
      'records/none',
    ];
    const narrow = { viewport: { width: 400, height: 800 }, colorScheme: 'dark' as const };
    await visit(
      '/telemetryui/records',
      async page => {
        for (const path of paths) {
          await page.goto(`/telemetryui/${path}`);
          expect([path, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([path, 400]);
          expect([path, (await brightness(page)) < 80]).toEqual([path, true]);
        }
        await page.emulateMedia({ colorScheme: 'light' });
        expect(await brightness(page)).toBeGreaterThan(180);
      },
      narrow,
      404,
    );
  });

  /** Of the page's background as it is drawn, 0 to 255. */
  async function brightness(page: Page): Promise<number> {
    const colour = await page.evaluate<string>(
      `(() => { const c = document.createElement('canvas').getContext('2d'); c.fillStyle = getComputedStyle(document.body).backgroundColor;
        c.fillRect(0, 0, 1, 1); return c.getImageData(0, 0, 1, 1).data.slice(0, 3).join(); })()`,
    );
    return Math.max(...colour.split(',').map(Number));
  }
});

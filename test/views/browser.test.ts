import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import type { AxeResults, RunOptions } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { LIMITS, weighPages } from '../bench/weight.ts';
import { launchChromium, SCREEN, visit, withoutChromium } from '../chromium.ts';
import { eventually, type Program, workspace } from '../executable/program.ts';

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** Later rows are made like the first ones, and axe checks each cell. */
const FIRST_ROWS = `for (const row of document.querySelectorAll('tbody tr:nth-child(n + 6)')) row.remove()`;

/** Each view, what its first chart counts, and a choice in its form that changes the chart. */
const VIEWS: [path: string, heading: string, chart: string | undefined, field: string, choice: string][] = [
  ['builds', 'Builds', 'Records by day', 'Window', '7'],
  ['stats', 'Stats', undefined, 'Window', '7'],
  ['mce', 'Machine checks', 'Machine checks by ISO week', 'Window', '28'],
  ['thermal', 'Thermal events', 'Thermal events by ISO week', 'Window', '91'],
  ['updates', 'Updates', undefined, 'Window', '35'],
  ['population', 'Population', 'Machine ids by day', 'Window', '14'],
];

describe.skipIf(withoutChromium('test/views/browser.test.ts'))('views in a browser', () => {
  const { start, run, path } = workspace();
  let program: Program;
  let browser: Browser;
  let guilty: number;

  beforeAll(async () => {
    const stateDir = path('sample');
    const demo = await run(['demo', '--records', '2000', '--machines', '200', '--days', '10'], { stateDir });
    expect(demo.code).toBe(0);
    [program, browser] = await Promise.all([start({ stateDir }), launchChromium()]);
    const sql = program.sql();
    await eventually('all is analysed', async () => (await sql`select from work_queue limit 1`).count === 0);
    [{ id: guilty }] = await sql<[{ id: number }]>`select min(id) as id from guilties`;
    await sql.end({ timeout: 5 });
  });
  afterAll(async () => {
    await browser?.close();
  });

  async function look(at: string, work: (page: Page) => Promise<void>, options = {}, expectedStatus?: number) {
    const base = `http://127.0.0.1:${program.port}`;
    expect(await visit(browser, base, `/telemetryui${at}`, work, { options, expectedStatus })).toEqual([]);
  }

  test.each(VIEWS)(
    '%s draws, filters without loading the page, goes back, and leads to records',
    (name, heading, chart, field, choice) =>
      look(`/${name}`, async page => {
        expect(await page.locator('h1').textContent()).toBe(heading);
        expect(await page.locator('nav [aria-current=page]').getAttribute('href')).toBe(`/telemetryui/${name}`);
        if (chart) expect(await page.getByRole('img', { name: chart }).isVisible()).toBe(true);
        await page.evaluate('window.stayed = true');
        const before = await page.locator('#main').textContent();
        await page.getByLabel(field).selectOption(choice);
        await page.waitForURL(url => url.searchParams.get('days') === choice);
        await eventually('it shows something else', async () => (await page.locator('#main').textContent()) !== before);
        expect(await page.evaluate('window.stayed')).toBe(true);
        await page.goBack();
        await page.waitForURL(url => !url.searchParams.has('days'));
        await page
          .locator('#main')
          .getByRole('link', { name: /^[\d,]+$|^[\w.-]+\/|→/ })
          .first()
          .click();
        await page.waitForURL(/\/telemetryui\/(records|machines)/);
        await page
          .getByText(/records? found/)
          .first()
          .waitFor();
        await page.locator('table.records tbody tr').first().waitFor();
      }),
  );

  test.each(VIEWS)(
    '%s works without JavaScript: its form, its tables, its exports',
    (name, _heading, chart, field, choice) =>
      look(
        `/${name}`,
        async page => {
          await page.getByLabel(field).selectOption(choice);
          await page.getByRole('button', { name: 'Show' }).click();
          await page.waitForURL(url => url.searchParams.get('days') === choice);
          if (chart) {
            expect(
              await page
                .locator('svg')
                .and(page.getByRole('img', { name: chart }))
                .isVisible(),
            ).toBe(true);
            await page.getByText('As a table').first().click();
            await page.locator('figure table tbody tr').nth(3).waitFor({ state: 'attached' });
          }
          const exported = await page.request.get(
            (await page.getByRole('link', { name: /^CSV/ }).first().getAttribute('href'))!,
          );
          expect((await exported.text()).split('\r\n').length).toBeGreaterThan(3);
        },
        { javaScriptEnabled: false },
      ),
  );

  /** A position over the chart, as fractions of its width and height. */
  async function over(page: Page) {
    const box = (await page.locator('.u-over').boundingBox())!;
    return (x: number, y: number) => [box.x + box.width * x, box.y + box.height * y] as const;
  }

  test('a chart is explored: it shows values, hides a series, is zoomed, and leads to the records of a bar', () =>
    look('/builds?days=7', async page => {
      expect(
        await page
          .locator('canvas')
          .and(page.getByRole('img', { name: 'Records by day' }))
          .isVisible(),
      ).toBe(true);
      expect(await page.locator('.plot').isVisible()).toBe(false);
      const at = await over(page);
      await page.mouse.move(...at(0.5, 0.97));
      const row = page.locator('figure tbody tr').nth(3);
      const [day, ...numbers] = await row.locator('th, td').allTextContents();
      const legend = page.locator('.legend');
      await eventually('it tells the day', async () => (await legend.locator('.reading').textContent()) === day);
      expect(await legend.locator('b').allTextContents()).toEqual(numbers);
      const first = legend.locator('button').first();
      await first.click();
      await eventually('it is hidden', async () => (await first.getAttribute('aria-pressed')) === 'false');

      await page.mouse.move(...at(0.3, 0.5));
      await page.mouse.down();
      await page.mouse.move(...at(0.4, 0.5));
      await page.mouse.move(...at(0.7, 0.5));
      await page.mouse.up();
      await page.mouse.move(...at(0.01, 0.97));
      const fifth = await page.locator('figure tbody th').nth(4).textContent();
      await eventually('it is zoomed', async () => (await legend.locator('.reading').textContent()) === fifth);
      await page.mouse.dblclick(...at(0.5, 0.97));
      await eventually('it is not zoomed', async () => (await page.locator('.explored.zoomed').count()) === 0);

      const that = `&from=${day}&to=${day}`;
      const href = () => page.locator('.through').getAttribute('href');
      await eventually('a click leads to its records', async () => (await href())?.includes(that));
      await page.mouse.click(...at(0.5, 0.97));
      await page.waitForURL(`**/records?*&from=${day}&to=${day}`);
      await page.getByText(/records? found/).waitFor();
    }));

  test('a chart follows what the form shows, the width of the window, and Back', () =>
    look('/builds', async page => {
      const reading = async (x: number) => {
        await page.mouse.move(...(await over(page))(x, 0.5));
        return page.locator('.reading').textContent();
      };
      const days = page.locator('figure tbody th');
      await page.getByLabel('Window', { exact: true }).selectOption('7');
      await page.getByText('in the last 7 days').waitFor();
      await eventually('it is drawn', async () => (await page.locator('canvas').count()) === 1);
      const tells = (day: number) =>
        eventually(`it tells day ${day}`, async () => (await reading(0.01)) === (await days.nth(day).textContent()));
      await tells(6);
      await page.setViewportSize({ width: 600, height: 800 });
      await eventually('it is narrower', () =>
        page.evaluate<boolean>('document.querySelector(".uplot").offsetWidth < 600'),
      );
      const drawn = () => page.evaluate<string>('document.querySelector("canvas").toDataURL()');
      const light = await drawn();
      await page.emulateMedia({ colorScheme: 'dark' });
      await eventually('it is drawn in dark colours', async () => (await drawn()) !== light);
      await page.goBack();
      await page.waitForURL('**/builds');
      await page.locator('canvas').waitFor();
      await tells(13);
    }));

  test('the overview links to what it shows', () =>
    look('', async page => {
      expect(await page.getByRole('img', { name: 'Records by hour' }).isVisible()).toBe(true);
      await page.getByLabel('Top crashes', { exact: true }).getByRole('link').first().click();
      await page.waitForURL('**/guilty_details/*');
      await page.goBack();
      await page.getByLabel('At a glance').getByRole('link').first().click();
      await page.waitForURL('**/telemetryui/records?from=*');
    }));

  test('records: more filters, the count, the export, a machine', () =>
    look('/records', async page => {
      await page.getByText('More filters').click();
      await page.getByLabel('Payload matches', { exact: true }).fill('hello');
      await page.getByLabel('Payload matches', { exact: true }).press('Enter');
      await page.waitForURL('**/records?payload=hello');
      await page.getByText(/^[\d,]+ records found$/).waitFor();
      await page.getByLabel('OS').selectOption('debian');
      await page.waitForURL('**/records?os=debian&payload=hello');
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: 'All as CSV' }).click(),
      ]);
      expect(download.suggestedFilename()).toMatch(/^records-[-\dT]+\.csv$/);
      const lines = readFileSync((await download.path())!, 'utf8').split('\r\n');
      expect(lines.length).toBeGreaterThan(10);
      await page.getByRole('row').nth(1).getByRole('link').first().click();
      await page.getByRole('link', { name: 'All records of this machine' }).click();
      await page.waitForURL('**/machines/*');
      await page.locator('table.records tbody tr').first().waitFor();
    }));

  const ALL = () => [
    '',
    '/records',
    '/records?payload=hello&from=2020-01-01',
    '/records?classification=none',
    '/crashes',
    `/crashes/guilty_details/${guilty}`,
    `/crashes/guilty_details/${guilty}/backtraces`,
    '/crashes/guilty_edit/add',
    ...VIEWS.map(([name]) => `/${name}`),
    '/builds?os=nowhere',
    '/quarantine',
    '/connect',
    '/status',
    '/machines/lab-1',
    '/help',
    '/help?q=limit',
    '/help/configure',
    '/help/rest',
  ];

  test(
    'no page is wider than a screen of 400 pixels; axe finds nothing serious on any, in the light and in the dark',
    () =>
      look(
        '',
        async page => {
          for (const at of ALL()) {
            await page.emulateMedia({ colorScheme: 'light' });
            await page.setViewportSize({ width: 400, height: 800 });
            await page.goto(`/telemetryui${at}`);
            expect([at, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([at, 400]);
            await page.setViewportSize(SCREEN);
            await page.evaluate(FIRST_ROWS);
            await page.evaluate(AXE);
            expect(await serious(page, at)).toEqual([]);
            await page.emulateMedia({ colorScheme: 'dark' });
            // Only colours differ.
            expect(await serious(page, `${at} in the dark`, { runOnly: ['color-contrast'] })).toEqual([]);
          }
        },
        {},
        404,
      ),
    180_000,
  );

  async function serious(page: Page, where: string, options: RunOptions = {}): Promise<string[]> {
    const { violations } = await page.evaluate<Pick<AxeResults, 'violations'>>(
      `axe.run(${JSON.stringify({ ...options, resultTypes: ['violations'] })}).then(({ violations }) => ({ violations }))`,
    );
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${where} ${id}: ${nodes[0]?.html.slice(0, 120)} ${nodes[0]?.failureSummary}`);
  }

  test('every page is small, at the first visit and later', async () => {
    const found = ALL().filter(path => path !== '/machines/lab-1');
    const weights = await weighPages(
      program.port,
      found.map(path => `/telemetryui${path}`),
    );
    expect(weights.filter(({ first, later }) => first > LIMITS.first || later > LIMITS.later)).toEqual([]);
  });

  test('every control can be reached by keyboard and shows its focus', () =>
    look('/builds', async page => {
      const focused = () =>
        page.evaluate<string>(
          `(() => { const e = document.activeElement, s = getComputedStyle(e); return e.tagName + ' ' + (s.outlineStyle !== 'none' || s.boxShadow !== 'none'); })()`,
        );
      const seen = new Set<string>();
      for (let n = 0; n < 40; n++) {
        await page.keyboard.press('Tab');
        seen.add(await focused());
      }
      expect([...seen].filter(entry => entry.endsWith('false'))).toEqual([]);
      for (const tag of ['A', 'SELECT', 'BUTTON', 'SECTION', 'SUMMARY']) expect([...seen]).toContain(`${tag} true`);
    }));
});

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Browser, Page } from 'playwright-core';
import { launchChromium, visit as visitPage, withoutChromium } from '../chromium.ts';
import { eventually, type Program, workspace } from './program.ts';

describe.skipIf(withoutChromium('test/executable/crash-browser.test.ts'))('crash pages in a browser', () => {
  const { start, run, path } = workspace();
  let program: Program;
  let browser: Browser;

  beforeAll(async () => {
    const stateDir = path('sample');
    const { code, stderr } = await run(['demo', '--records', '1500', '--machines', '150', '--days', '5'], { stateDir });
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    [program, browser] = await Promise.all([start({ stateDir }), launchChromium()]);
    const sql = program.sql();
    await eventually('all is analysed', async () => (await sql`select from work_queue limit 1`).count === 0);
    await sql.end({ timeout: 5 });
  });

  afterAll(async () => {
    await browser?.close();
  });

  /** Opens the list for `work`; fails where the browser complained about anything. */
  async function visit(work: (page: Page) => Promise<void>, options = {}) {
    const base = `http://127.0.0.1:${program.port}`;
    expect(await visitPage(browser, base, '/telemetryui/crashes?days=14', work, { options })).toEqual([]);
  }

  const guilties = (page: Page) => page.getByLabel('Top crashes').locator('td.guilty-cell a');

  /** Top crashes → guilty → backtrace → tick a frame → apply → preview → submit → progress → new top list. */
  async function blameAnother(page: Page) {
    const before = await guilties(page).allTextContents();
    expect(before.length).toBeGreaterThan(3);
    // One that calls others: a stack with a frame behind the guilty to move on to.
    await guilties(page).first().click();
    await page.waitForURL('**/guilty_details/*');
    const name = await page.locator('dd .mono').first().textContent();
    await page.getByRole('link', { name: 'Backtraces', exact: true }).click();
    await page.waitForURL('**/backtraces*');
    const stack = page.locator('article.stack').first();
    expect(await stack.locator('tr.at-fault').textContent()).toContain('◆ guilty');
    expect(await stack.locator('.explanation').textContent()).toContain('decided with version');
    await stack.getByRole('link', { name: 'Edit the never-guilty list from it' }).click();
    await page.waitForURL('**/guilty_edit/?record=*');

    await page.locator('tr.at-fault input[type=checkbox]').check();
    await page.getByRole('button', { name: 'Apply to this record' }).click();
    await page.getByText('Recomputed: this record moved.').waitFor();
    expect(await page.locator('tr.at-fault').textContent()).not.toContain(`${name}◆`);
    await page.getByRole('button', { name: 'Preview for all records' }).click();
    await page.locator('h1', { hasText: /^(Recompute all records|Add to the never-guilty list)\?$/ }).waitFor();
    await page.getByRole('button', { name: /^Submit/ }).click();
    await page.waitForURL('**/recomputations/*');
    await finished(page);
    await page.getByRole('link', { name: 'See the top crashes' }).click();
    await page.waitForURL('**/crashes');
    await page.goto('/telemetryui/crashes?days=14');
    const after = await guilties(page).allTextContents();
    expect(after).not.toContain(before[0]);
    expect(after.length).toBeGreaterThan(3);
  }

  /** By itself with JavaScript, else when the page is loaded again. */
  async function finished(page: Page) {
    const done = page.getByText('Finished', { exact: true });
    if (await page.evaluate("typeof htmx !== 'undefined'").catch(() => false)) return done.waitFor();
    await eventually('the recomputation is finished', async () => {
      if ((await done.count()) === 1) return true;
      await page.reload();
      return false;
    });
  }

  test('from the top crash to a frame never to blame, and a new top list', () => visit(page => blameAnother(page)));

  test('the same without JavaScript', () => visit(page => blameAnother(page), { javaScriptEnabled: false }));

  test('filters, comments and hiding', () =>
    visit(async page => {
      await page.getByLabel('Order by').selectOption('machines');
      await page.waitForURL('**sort=machines*');
      await page.getByLabel('Window', { exact: true }).selectOption('35');
      await page.waitForURL('**days=35*');
      const first = (await guilties(page).first().textContent())!;
      await page.locator('details.edit summary').first().click();
      await page.locator('details.edit input[name=comment]').first().fill('known since the last release');
      await page.locator('details.edit').first().getByRole('button', { name: 'Save' }).click();
      await page.getByText('known since the last release').first().waitFor();
      expect(new URL(page.url()).searchParams.get('days')).toBe('35');
      await page.locator('details.edit summary').first().click();
      await page.locator('details.edit').first().getByRole('button', { name: 'Hide' }).click();
      await page.getByRole('link', { name: 'Hidden (1)' }).click();
      await page.getByRole('button', { name: 'Show again' }).click();
      await page.getByText('Nothing is hidden').waitFor();
      await page.goto('/telemetryui/crashes?days=35&sort=machines');
      expect(await guilties(page).first().textContent()).toBe(first);
    }));

  test('functions are found while one types, and previewed before they are added', () =>
    visit(async page => {
      await page.getByRole('link', { name: 'Never-guilty list' }).click();
      await page.getByLabel('Search all functions seen').pressSequentially('main');
      const found = page.getByLabel('Functions seen').locator('tbody tr');
      await found.first().waitFor();
      expect(await found.first().textContent()).toContain('main');
      await page.getByRole('button', { name: /^Add…/ }).first().click();
      await page.getByText('Add to the never-guilty list?').first().waitFor();
      await page.getByRole('link', { name: 'Cancel' }).click();
      await page.waitForURL('**/guilty_edit/add');
    }));

  test('nothing is wider than a screen of 400 pixels', () =>
    visit(
      async page => {
        const guilty = (await guilties(page).first().getAttribute('href'))!.replace(/\?.*/, '');
        await page.goto(`${guilty}/backtraces`);
        const edit = (await page
          .getByRole('link', { name: 'Edit the never-guilty list from it' })
          .first()
          .getAttribute('href'))!;
        const top = '/telemetryui/crashes';
        const paths = [
          top,
          `${top}?days=35&sort=machines`,
          guilty,
          `${guilty}/backtraces`,
          edit,
          `${top}/guilty_edit/add?q=a`,
          `${top}/guilty_edit/hidden`,
          `${top}/failed`,
          `${top}/recomputations/1`,
        ];
        for (const address of paths) {
          await page.goto(address);
          expect([address, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([address, 400]);
        }
      },
      { viewport: { width: 400, height: 800 } },
    ));
});

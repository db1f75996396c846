import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page, type ViewportSize } from 'playwright-core';

const EXECUTABLE = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const TIMEOUT_MS = 60_000;
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Whether there is no browser to test with; says so, naming the file that is left out. */
export function withoutChromium(file: string): boolean {
  if (!EXECUTABLE) console.warn(`${file} is skipped: no Chromium is installed`);
  return !EXECUTABLE;
}

export function launchChromium() {
  return chromium.launch({ executablePath: EXECUTABLE!, args: ARGUMENTS, timeout: TIMEOUT_MS });
}

export interface Visit {
  /** As browser.newContext takes them. */
  options?: { viewport?: ViewportSize; colorScheme?: 'light' | 'dark'; javaScriptEnabled?: boolean };
  /** A status that answers may have beside 200, without counting as a complaint. */
  expectedStatus?: number | undefined;
}

/** Of a visit without a viewport of its own. */
export const SCREEN = { width: 1280, height: 720 };

/** Pages to visit with, by their browser and options: to open one takes the processor a second. */
const idle = new WeakMap<Browser, Map<string, Page>>();

/** Visits a page for `work`, signed in nowhere; resolves to what the browser complained about. */
export async function visit(
  browser: Browser,
  baseURL: string,
  path: string,
  work: (page: Page) => Promise<void>,
  { options, expectedStatus }: Visit = {},
): Promise<string[]> {
  const complaints: string[] = [];
  const wanted = { baseURL, viewport: SCREEN, colorScheme: 'light' as const, ...options };
  const key = JSON.stringify(wanted);
  const pages = idle.get(browser) ?? new Map<string, Page>();
  idle.set(browser, pages);
  const page = pages.get(key) ?? (await (await browser.newContext(wanted)).newPage());
  // One that a failed visit leaves is not used again.
  pages.delete(key);
  page.setDefaultTimeout(TIMEOUT_MS);
  // The last visit may have changed these.
  await page.setViewportSize(wanted.viewport);
  await page.emulateMedia({ colorScheme: wanted.colorScheme });
  page.on('console', message => {
    if (!['error', 'warning'].includes(message.type())) return;
    if (!message.text().includes(`the server responded with a status of ${expectedStatus} `))
      complaints.push(message.text());
  });
  page.on('pageerror', error => complaints.push(String(error)));
  page.on('requestfailed', request => {
    // A poll that the next page interrupts is no failure.
    if (request.failure()?.errorText !== 'net::ERR_ABORTED') complaints.push(`${request.url()} failed`);
  });
  await page.goto(path);
  await work(page);
  for (const event of ['console', 'pageerror', 'requestfailed']) page.removeAllListeners(event);
  await page.context().clearCookies();
  pages.set(key, page);
  return complaints;
}

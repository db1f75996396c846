import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const EXECUTABLE = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
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
  return chromium.launch({ executablePath: EXECUTABLE!, args: ARGUMENTS, timeout: 60_000 });
}

export interface Visit {
  /** As browser.newContext takes them. */
  options?: Parameters<Browser['newContext']>[0];
  /** A status that answers may have beside 200, without counting as a complaint. */
  expectedStatus?: number | undefined;
}

/** Opens a page for `work`; resolves to what the browser complained about. */
export async function visit(
  browser: Browser,
  baseURL: string,
  path: string,
  work: (page: Page) => Promise<void>,
  { options, expectedStatus }: Visit = {},
): Promise<string[]> {
  const context = await browser.newContext({ baseURL, ...options });
  const complaints: string[] = [];
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
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
  } finally {
    await context.close();
  }
  return complaints;
}

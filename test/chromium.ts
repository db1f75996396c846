import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

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
  return chromium.launch({ executablePath: EXECUTABLE!, args: ARGUMENTS, timeout: 20_000 });
}

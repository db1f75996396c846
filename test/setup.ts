import { afterAll } from 'bun:test';
import { stopTestServer } from './database.ts';
import { inScratch, makeScratch } from './scratch.ts';

// test/run.ts removes leftovers after all tests; without it, this does.
const scratch = inScratch() ? undefined : makeScratch();
if (scratch) {
  process.env.TMPDIR = scratch.path;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      scratch.remove();
      process.exit(1);
    });
  }
  afterAll(async () => {
    await stopTestServer();
    scratch.remove();
  });
}

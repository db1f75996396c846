import { afterAll } from 'bun:test';
import { stopTestServer } from './database.ts';
import { inScratch, makeScratch } from './scratch.ts';

// Below test/run.ts that removes whatever is left, once all tests are through. Without it that is done here.
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

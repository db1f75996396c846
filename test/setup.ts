import { afterAll } from 'bun:test';
import { stopTestServer } from './database.ts';
import { inScratch, makeScratch } from './scratch.ts';

// Runs once around all test files: the PostgreSQL that they share goes with them, and so does whatever else is left. Below
// test/run.ts that sees to it for all.
const scratch = inScratch() ? undefined : makeScratch();
if (scratch) {
  process.env.TMPDIR = scratch.path;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      scratch.remove();
      process.exit(1);
    });
  }
}

afterAll(async () => {
  await stopTestServer();
  scratch?.remove();
});

/** `npm run bench`: what the built executable does, as figures of one run. `npm run bench -- NAME …`: some parts of it alone. */
import { cpus } from 'node:os';
import { benchIngestion, benchTls } from './ingestion.ts';
import { benchGrowth, benchPages } from './pages.ts';

const PARTS = new Map([
  ['ingestion', benchIngestion],
  ['tls', benchTls],
  ['pages', benchPages],
  ['growth', benchGrowth],
]);

const asked = process.argv.slice(2);
const unknown = asked.find(name => !PARTS.has(name));
if (unknown !== undefined) {
  console.error(`there is no part "${unknown}"; the parts are ${[...PARTS.keys()].join(', ')}`);
  process.exit(2);
}
console.log(`telemetricsd on ${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown'}`);
for (const [name, bench] of PARTS) if (asked.length === 0 || asked.includes(name)) await bench();

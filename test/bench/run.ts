/** `npm run bench` measures the built executable in one run; `npm run bench -- NAME …` runs only some parts. */
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

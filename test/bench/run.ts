/** `npm run bench`: what the built executable does, as figures of one run. */
import { cpus } from 'node:os';
import { benchIngestion, benchTls } from './ingestion.ts';
import { benchGrowth, benchPages } from './pages.ts';

console.log(`telemetricsd on ${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown'}`);
await benchIngestion();
await benchTls();
await benchPages();
await benchGrowth();

/** `npm run bench`: what the built executable does, as figures of one run. */
import { cpus } from 'node:os';
import { benchCrashes } from './crashes.ts';
import { benchIngestion } from './ingestion.ts';

console.log(`telemetricsd on ${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown'}`);
await benchIngestion();
await benchCrashes();

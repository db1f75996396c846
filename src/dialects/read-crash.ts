import { readCoredump } from './coredump.ts';
import type { Crash } from './frame.ts';
import { readJournalEntry } from './journal-entry.ts';
import { readKernelText, readSureKernelText } from './kernel-text.ts';
import { readTelemetrics } from './telemetrics.ts';
import { crashOfUreport, readUreport } from './ureport.ts';

/** Reads the payload of a crash in the dialect that it is written in, which its shape says. Takes any payload, in linear time. */
export function readCrash(payload: string): Crash {
  const ureport = readUreport(payload);
  if (ureport) return crashOfUreport(ureport);
  const entry = readJournalEntry(payload);
  if (entry) return readCoredump(entry);
  const sure = readSureKernelText(payload);
  if (sure) return sure;
  const telemetrics = readTelemetrics(payload);
  const { frames, reason, thread } = telemetrics;
  if (frames.length > 0 || reason !== null || thread !== null) return telemetrics;
  const kernel = readKernelText(payload);
  return kernel.frames.length > 0 || kernel.reason !== null ? kernel : telemetrics;
}

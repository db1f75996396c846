import { readCoredump } from '../../dialects/coredump.ts';
import { packageOf } from '../../dialects/coredump-modules.ts';
import type { Crash } from '../../dialects/frame.ts';
import { fieldText, type JournalEntry, readJournalEntry } from '../../dialects/journal-entry.ts';
import { readKernelText, readSureKernelText } from '../../dialects/kernel-text.ts';
import { kernelOf } from '../../dialects/kernel-version.ts';
import { crashOfUreport, readUreport, type Ureport } from '../../dialects/ureport.ts';
import { packagesOf, wordsOf } from '../../dialects/ureport-packages.ts';
import type { Parsed } from '../parser.ts';
import { known, labelled, wholeNumber } from './lines.ts';

const MOST_REASON = 1_000;

/** Reads the heading of a crash or kernel report in each dialect; crash analysis reads the frames. */
export function parseCrashHeading(payload: string): Parsed {
  const ureport = readUreport(payload);
  if (ureport) return parseUreport(ureport);
  const entry = readJournalEntry(payload);
  if (entry) return parseJournalEntry(entry);
  const sure = readSureKernelText(payload);
  if (sure) return parseKernelText(payload, sure);
  const found = parseTelemetrics(payload);
  // Lines of the kernel may begin with "Process: ", too.
  const isSure = found && (found.reason ?? found.error ?? found.pid ?? found.signal) !== undefined;
  return isSure ? found : (parseKernelText(payload, readKernelText(payload)) ?? found);
}

function parseUreport(ureport: Ureport): Parsed {
  const { program, signal } = crashOfUreport(ureport);
  const packages = packagesOf(ureport);
  const affected = packages.find(({ isAffected }) => isAffected);
  return known({
    program: program ?? undefined,
    signal: signal ?? undefined,
    ...wordsOf(ureport),
    package: affected?.name,
    package_version: affected?.version ?? undefined,
    package_names: packages.length > 0 ? [...new Set(packages.map(({ name }) => name))] : undefined,
    packages:
      packages.length > 0
        ? packages.map(({ name, version }) => (version === null ? name : `${name}-${version}`))
        : undefined,
  });
}

function parseTelemetrics(payload: string): Parsed {
  const found = labelled(payload, {
    program: /^Process: ([^\n]{1,4096})$/m,
    pid: /^PID: *([0-9]{1,10})\s*$/m,
    signal: /^Signal: *([0-9]{1,5})\s*$/m,
    error: /^Error: ([^\n]{1,1000})$/m,
    reason: /^Reason: ([^\n]{1,1000})$/m,
    kernel: /^Kernel Version +: ([^\n]{1,200})$/m,
    tainted: /^Tainted +: ([^\n]{1,200})$/m,
  });
  const { pid, signal, ...texts } = found;
  return known({ ...texts, pid: wholeNumber(pid), signal: wholeNumber(signal) });
}

function parseJournalEntry(entry: JournalEntry): Parsed {
  const { program, pid, signal } = readCoredump(entry);
  const found = packageOf(entry);
  return known({
    program: program ?? undefined,
    pid: pid ?? undefined,
    signal: signal ?? undefined,
    unit: fieldText(entry, 'COREDUMP_UNIT') ?? undefined,
    package: found?.name,
    package_version: found?.version ?? undefined,
  });
}

function parseKernelText(payload: string, { reason, frames }: Crash): Parsed {
  if (reason === null && frames.length === 0) return undefined;
  return known({ reason: reason?.slice(0, MOST_REASON), ...kernelOf(payload) });
}

import { DESKTOP_CRASHES } from './crashes-desktop.ts';
import { RARE_CRASHES } from './crashes-rare.ts';
import { SYSTEM_CRASHES } from './crashes-system.ts';
import { bootErrors, type HardwareReport, machineChecks } from './machine-checks.ts';
import { failedUpdate, heartbeats, hellos, journalErrors, updates } from './messages.ts';
import { oopses } from './oopses.ts';
import { weightedTable } from './random.ts';
import { crashText, type Signature } from './stack-notation.ts';
import { type Template, template } from './template.ts';

/** How many of 2,700 records are of each kind, beside heartbeats and crashes of programs. */
const SHARES = {
  hello: 520,
  update: 400,
  oops: 190,
  unknown: 320,
  build: 70,
  error: 60,
  corrected: 260,
  SRAO: 25,
  SRAR: 15,
  UCNA: 40,
  thermal: 320,
  boot: 40,
  journal: 440,
};

export type EventKind = keyof typeof SHARES | 'heartbeat' | 'crash';
type Severity = 1 | 2 | 3 | 4;

/** A form that records take: what is said, under which classification. */
export interface Form {
  classification: string;
  severity: Severity;
  payload: Template;
}

/** Every payload of the sample fleet, taken apart once. */
export interface Catalogue {
  /** A random slot of it is the kind of a record that is neither a heartbeat nor a crash. */
  kinds: EventKind[];
  forms: Record<Exclude<EventKind, 'crash'>, Form[]>;
  failedUpdate: Form;
  /** For each operating system, the crashes that a random slot stands for. */
  crashesByOs: Map<string, Form[]>;
  regressions: Map<string, Form>;
}

export function catalogue(systems: Iterable<string>): Catalogue {
  const names = Object.keys(SHARES) as (keyof typeof SHARES)[];
  const checks = machineChecks();
  const crashesByOs = new Map<string, Form[]>();
  const regressions = new Map<string, Form>();
  const signatures = byFrequency();
  for (const os of systems) crashesByOs.set(os, crashesOf(os, signatures));
  for (const signature of signatures) {
    if (signature.regression) regressions.set(signature.regression, crashForm(signature, false));
  }
  return {
    kinds: Array.from(weightedTable(Object.values(SHARES), 8192), kind => names[kind]!),
    forms: {
      heartbeat: plain('org.clearlinux/heartbeat/ping', 1, heartbeats()),
      hello: plain('org.clearlinux/hello/world', 1, hellos()),
      update: plain('org.clearlinux/swupd-client/update', 1, updates()),
      oops: oopses().flatMap(({ classification, severity, share, text }) => {
        const form = { classification, severity, payload: template(text) };
        return Array.from({ length: share }, () => form);
      }),
      unknown: plain('org.clearlinux/crash/unknown', 2, ['Crash from third party\n']),
      build: plain('org.clearlinux/crash/clr-build', 2, ['Crash from Clear package build\n']),
      error: plain('org.clearlinux/crash/error', 4, unwindErrors()),
      corrected: hardwareForms(checks.corrected),
      SRAO: hardwareForms(checks.SRAO),
      SRAR: hardwareForms(checks.SRAR),
      UCNA: hardwareForms(checks.UCNA),
      thermal: hardwareForms(checks.thermal),
      boot: hardwareForms(bootErrors()),
      journal: plain('org.clearlinux/journal/error', 2, journalErrors()),
    },
    failedUpdate: {
      classification: 'org.clearlinux/swupd-client/update',
      severity: 2,
      payload: template(failedUpdate()),
    },
    crashesByOs,
    regressions,
  };
}

/** Frequent crashes first, those of desktops and of servers by turns. */
function byFrequency(): Signature[] {
  const frequent = SYSTEM_CRASHES.flatMap((signature, rank) => {
    const desktop = DESKTOP_CRASHES[rank];
    return desktop ? [desktop, signature] : [signature];
  });
  return [...frequent, ...DESKTOP_CRASHES.slice(SYSTEM_CRASHES.length), ...RARE_CRASHES];
}

function crashesOf(os: string, signatures: Signature[]): Form[] {
  const known = signatures.filter(signature => !signature.regression && (signature.os ?? os) === os);
  const forms = known.map(signature => crashForm(signature, os === 'debian' || os === 'ubuntu'));
  const zipf = known.map((_, rank) => 1 / (rank + 1.5));
  return Array.from(weightedTable(zipf, 2048), index => forms[index]!);
}

function crashForm(signature: Signature, olderLibc: boolean): Form {
  return {
    classification: 'org.clearlinux/crash/clr',
    severity: 3,
    payload: template(crashText(signature, olderLibc)),
  };
}

function unwindErrors(): string[] {
  const rest = 'Signal: 11\nError: Failed to find module for current frame\n\nBacktrace (TID {pid}):\n';
  return ['/usr/bin/steam', '/opt/google/chrome/chrome', '/usr/bin/wine64-preloader'].map(
    program => `Process: ${program}\nPID: {pid}\n${rest}`,
  );
}

function plain(classification: string, severity: Severity, texts: string[]): Form[] {
  return texts.map(text => ({ classification, severity, payload: template(text) }));
}

function hardwareForms(reports: HardwareReport[]): Form[] {
  return reports.map(({ classification, severity, text }) => ({ classification, severity, payload: template(text) }));
}

export interface Sent {
  classification: string;
  severity: 1 | 2 | 3 | 4;
  what: string;
  /** The word for it in `send` of the probe's configuration. */
  send: string;
  offByDefault?: true;
}

/** What the probe sends, as people are told who install it. */
export const SENDS: readonly Sent[] = [
  {
    classification: 'telemetricsd/coredump/crash',
    severity: 3,
    what: 'a program that crashed: the journal entry of systemd-coredump, with the fields below alone',
    send: 'coredumps',
  },
  { classification: 'telemetricsd/kernel/warning', severity: 2, what: 'a warning of the kernel', send: 'kernel' },
  {
    classification: 'telemetricsd/kernel/lockup',
    severity: 3,
    what: 'a lockup, a hung task or an RCU stall of the kernel',
    send: 'kernel',
  },
  { classification: 'telemetricsd/kernel/bug', severity: 4, what: 'a BUG of the kernel', send: 'kernel' },
  { classification: 'telemetricsd/kernel/oops', severity: 4, what: 'an oops of the kernel', send: 'kernel' },
  { classification: 'telemetricsd/kernel/panic', severity: 4, what: 'a panic, after the next start', send: 'kernel' },
  {
    classification: 'telemetricsd/mce/corrected',
    severity: 2,
    what: 'a hardware error that was corrected',
    send: 'hardware',
  },
  {
    classification: 'telemetricsd/mce/uncorrected',
    severity: 4,
    what: 'a hardware error that was not corrected',
    send: 'hardware',
  },
  { classification: 'telemetricsd/mce/thermal', severity: 2, what: 'a processor that was too hot', send: 'hardware' },
  {
    classification: 'telemetricsd/update/os',
    severity: 1,
    what: 'the build before and after an update of the system',
    send: 'updates',
  },
  {
    classification: 'telemetricsd/heartbeat/ping',
    severity: 1,
    what: 'once a day: rounded uptime, locale, virtualization and the version of the probe',
    send: 'heartbeat',
  },
  {
    classification: 'telemetricsd/hello/world',
    severity: 1,
    what: 'the same, once after the installation',
    send: 'heartbeat',
  },
  {
    classification: 'telemetricsd/unit/failed',
    severity: 2,
    what: 'the name of a unit that failed, and the result',
    send: 'failed-units',
    offByDefault: true,
  },
];

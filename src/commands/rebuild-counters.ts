import { configOption, defineCommand, EXIT_CODES, flag } from './command.ts';

export const rebuildCounters = defineCommand({
  options: {
    config: configOption,
    today: flag('also today, which is not over; records that arrive meanwhile wait'),
  },
  help: `The views read counters that are written together with the records. This derives them again from the
records, day by day: after machine_checks.classifications or updates.classifications changed, or where
you suspect that they are wrong. It may run beside a running server, and be stopped and run again at any
time: each day is one transaction.

Days whose records are gone in part are left as they are, since counters say what was received, not what
was kept.

${EXIT_CODES}

Examples:
  telemetricsd rebuild-counters
  telemetricsd rebuild-counters --today`,

  async run({ options }) {
    const { rebuildAllCounters } = await import('../counters/command.ts');
    return rebuildAllCounters(options);
  },
});

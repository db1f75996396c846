import { configOption, defineCommand, EXIT_CODES, flag } from './command.ts';

export const rebuildCounters = defineCommand({
  options: {
    config: configOption,
    today: flag('also today, which is not over; arriving records wait meanwhile'),
  },
  help: `The views read counters that are written together with the records. This derives them again from the
records, day by day. Run it after the classifications of crashes, heartbeats, machine checks, thermal events
or updates changed in the configuration, or if you suspect that the counters are wrong. It may run beside a
running server, and may be stopped and run again at any
time: each day is one transaction.

Days that lost some of their records stay as they are, since counters say what was received, not what
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

import { configOption, defineCommand, flag, print } from './command.ts';

export const forget = defineCommand({
  argument: 'MACHINE_ID',
  argumentNeeded: true,
  options: {
    config: configOption,
    'dry-run': flag('erase nothing: only show what is stored'),
    yes: flag('do not ask before erasing'),
  },
  help: `Erases one machine id: its records, those in quarantine, its analysed crashes, the backtraces that no other
machine reported, when it was last seen, and its part of the counts. It first shows what is stored, and asks;
at the end it names what it can't reach, such as earlier backups. It may run beside a running
server, which goes on taking records, and may be stopped and run again at any time.

For a machine that reports by ABRT, give the id in its /etc/machine-id: the command finds the hash that its
records have instead.

Days whose records are complete stay complete: their counters then equal the remaining records.

Exit codes: 0 done or nothing to do, 1 not done, 2 wrong usage, 78 wrong configuration.

Examples:
  telemetricsd forget 0123456789abcdef0123456789abcdef --dry-run
  telemetricsd forget 0123456789abcdef0123456789abcdef --yes`,

  async run({ options, argument: machineId }) {
    const { forget: erase } = await import('../privacy/command.ts');
    await erase(machineId!, options, print);
    return 0;
  },
});

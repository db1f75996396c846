import { configOption, defineCommand, flag, print } from './command.ts';

export const forget = defineCommand({
  argument: 'MACHINE_ID',
  argumentNeeded: true,
  options: {
    config: configOption,
    'dry-run': flag('erase nothing: only say what there is'),
    yes: flag('do not ask before erasing'),
  },
  help: `Erases one machine id: its records, those in quarantine, its analysed crashes, the backtraces that no other
machine reported, when it was last seen, and what is counted of all that. First says what there is and asks;
at the end it names what it can't reach, such as backups made before. It may run beside a running
server, and be stopped and run again at any time; taking records in goes on meanwhile.

Of a machine that reports by ABRT, the id is what stands in its /etc/machine-id: the hash that its records
have in the place of that is found by it.

Days whose records are complete stay complete: their counters equal what is left.

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

import { configOption, defineCommand } from './command.ts';

export const backup = defineCommand({
  argument: 'FILE',
  argumentNeeded: true,
  options: { config: configOption },
  help: `Writes everything in the database into FILE as it is at one moment: records, counters, crashes, quarantine and
what analysts have decided. Records are taken meanwhile. It may run beside a running server, needs little
memory, and works for the built-in PostgreSQL as well as for one of your own. FILE appears once it is whole,
readable by its owner alone; it holds everything that machines have sent. The configuration is not in it.

Exit codes: 0 written, 1 not written, 2 wrong usage, 78 wrong configuration.

Examples:
  telemetricsd backup /backup/monday.backup
  telemetricsd verify /backup/monday.backup`,

  async run({ options, argument: file }) {
    const { backup: write } = await import('../backup/commands.ts');
    return write(file!, options);
  },
});

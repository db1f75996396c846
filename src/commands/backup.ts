import { configOption, defineCommand } from './command.ts';

export const backup = defineCommand({
  argument: 'FILE',
  argumentNeeded: true,
  options: { config: configOption },
  help: `Writes the whole database, as it is at one moment, into FILE: records, counters, crashes, quarantine and
the decisions of analysts. It may run beside a running server, which goes on taking records, needs little
memory, and works for the built-in PostgreSQL and for one of your own. FILE appears once it is complete. Only
its owner can read it, since it holds everything that machines sent. The configuration is not part of it.

Exit codes: 0 written, 1 not written, 2 wrong usage, 78 wrong configuration.

Examples:
  telemetricsd backup /backup/monday.backup
  telemetricsd verify /backup/monday.backup`,

  async run({ options, argument: file }) {
    const { backup: write } = await import('../backup/commands.ts');
    return write(file!, options);
  },
});

import { defineCommand } from './command.ts';

export const verify = defineCommand({
  argument: 'FILE',
  argumentNeeded: true,
  options: {},
  help: `Proves that a backup can be restored: restores it into a temporary PostgreSQL in a temporary directory (TMPDIR
names another place) and compares the rows of every table, and their SHA-256, with the file. Takes as much
disk space as the database does, until it is done.

Exit codes: 0 the same, 1 not the same or not restorable, 2 wrong usage.

Examples:
  telemetricsd verify /backup/monday.backup
  TMPDIR=/var/tmp telemetricsd verify /backup/monday.backup`,

  async run({ argument: file }) {
    const { verify: compare } = await import('../backup/verify.ts');
    return compare(file!);
  },
});

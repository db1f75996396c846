import { configOption, defineCommand } from './command.ts';

export const restore = defineCommand({
  argument: 'FILE',
  argumentNeeded: true,
  options: { config: configOption },
  help: `Fills an empty database from a backup. It checks the whole file before it writes anything, and refuses a database
that holds records. It brings a backup of an older version to this version's schema; one of a newer
version is refused. To move from the built-in PostgreSQL to one of your own, or back: back up, set
database.url, restore.

Exit codes: 0 restored, 1 not restored, 2 wrong usage, 78 wrong configuration.

Examples:
  TELEMETRICSD_STATE_DIR=/var/lib/new telemetricsd restore /backup/monday.backup
  TELEMETRICSD_DATABASE_URL=postgres://db.example.org/telemetricsd telemetricsd restore monday.backup`,

  async run({ options, argument: file }) {
    const { restore: read } = await import('../backup/commands.ts');
    return read(file!, options);
  },
});

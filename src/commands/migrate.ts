import type { Migration } from '../db/migrations.ts';
import { configOption, defineCommand, flag, print } from './command.ts';

export const migrate = defineCommand({
  options: {
    config: configOption,
    check: flag('change nothing: only report what is pending'),
  },
  help: `"telemetricsd serve" does this when it starts; the command does it beforehand. Each migration
is applied completely or not at all, and several instances may start at once. A database newer than this program
is left alone, with an error.

With --check it shows what an upgrade to this program would find, even beside a running server of another
version: the configuration, the disk space, the major version of PostgreSQL, and pending migrations. It starts a
built-in database that is not running for a moment.

Exit codes: 0 nothing (more) is pending, 1 a migration failed or (--check) this program can't take the
            database over, 2 wrong usage, 3 something is pending (only with --check), 78 wrong configuration.

Examples:
  telemetricsd migrate
  ./telemetricsd-new migrate --check`,

  async run({ options }) {
    const [{ loadConfig }, { openDatabase }, { createLog }, { migrate: apply, pendingMigrations }, { preflight }] =
      await Promise.all([
        import('../config/load.ts'),
        import('../db/database.ts'),
        import('../log.ts'),
        import('../db/migrate.ts'),
        import('../db/preflight.ts'),
      ]);
    const { config } = loadConfig({ file: options.config });
    const log = createLog(config.log.level, config.log.format);
    if (options.check) {
      const { findings, pending } = await preflight(config, log);
      await print(`The configuration is in order.\n${findings.join('\n')}\n${pendingText(pending)}`);
      return pending.length === 0 ? 0 : 3;
    }
    const database = await openDatabase(config, log, { join: true });
    try {
      const client = database.client('migrate');
      const pending = await pendingMigrations(client);
      await print(pendingText(pending));
      if (pending.length === 0) return 0;
      const applied = await apply(client, log);
      await print(`Applied ${applied.length} of them.\n`);
      return 0;
    } finally {
      await database.close();
    }
  },
});

function pendingText(pending: Migration[]) {
  if (pending.length === 0) return 'The database is up to date.\n';
  return `Pending: ${pending.map(({ name }) => name).join(', ')}\n`;
}

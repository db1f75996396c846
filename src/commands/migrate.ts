import { configOption, defineCommand, flag, print } from './command.ts';

export const migrate = defineCommand({
  options: {
    config: configOption,
    check: flag('change nothing: only report what is pending'),
  },
  help: `"telemetricsd serve" does this by itself when it starts; the command is for doing it beforehand, or for
looking with --check at what an upgrade would do. Each migration is applied whole or not at all, and
several instances may start at once. A database newer than this program is left alone, with an error.

Exit codes: 0 nothing (more) is pending, 1 a migration failed, 2 wrong usage,
            3 something is pending (only with --check), 78 wrong configuration.

Examples:
  telemetricsd migrate
  telemetricsd migrate --check || echo 'run "telemetricsd migrate" first'`,

  async run({ options }) {
    const [{ loadConfig }, { openDatabase }, { createLog }, { migrate: apply, pendingMigrations }] = await Promise.all([
      import('../config/load.ts'),
      import('../db/database.ts'),
      import('../log.ts'),
      import('../db/migrate.ts'),
    ]);
    const { config } = loadConfig({ file: options.config });
    const log = createLog(config.log.level, config.log.format);
    const database = await openDatabase(config, log, { join: true });
    try {
      const client = database.client('migrate');
      const pending = await pendingMigrations(client);
      await print(
        pending.length === 0
          ? 'The database is up to date.\n'
          : `Pending: ${pending.map(({ name }) => name).join(', ')}\n`,
      );
      if (pending.length === 0) return 0;
      if (options.check) return 3;
      const applied = await apply(client, log);
      await print(`Applied ${applied.length} of them.\n`);
      return 0;
    } finally {
      await database.close();
    }
  },
});

import { configOption, defineCommand, EXIT_CODES, flag, print } from './command.ts';

export const purge = defineCommand({
  options: {
    config: configOption,
    'dry-run': flag('remove nothing: only say what would go'),
  },
  help: `Removes the records whose time is over by the rules of [retention], as the server does every day
(retention.schedule). Prints how many records went by which rule, and how many whole days. It may run
beside a running server; taking records in goes on meanwhile. If the server doubts the date and
removes nothing, a purge by hand overrides that: from then on the date counts as right.

${EXIT_CODES}

Examples:
  telemetricsd purge --dry-run
  TELEMETRICSD_RETENTION_DAYS=90 telemetricsd purge --dry-run`,

  async run({ options }) {
    const { purgeNow } = await import('../retention/command.ts');
    await print(await purgeNow(options));
    return 0;
  },
});

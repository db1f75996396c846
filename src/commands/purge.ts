import { configOption, defineCommand, EXIT_CODES, flag, print } from './command.ts';

export const purge = defineCommand({
  options: {
    config: configOption,
    'dry-run': flag('remove nothing: only show what would be removed'),
  },
  help: `Removes the records that have expired by the rules of [retention], as the server does every day
(retention.schedule). Prints how many records each rule removed, and how many whole days went. It may run
beside a running server, which goes on taking records. If the server doubts the date and
removes nothing, a purge by hand overrides that: from then on the server believes the date.

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

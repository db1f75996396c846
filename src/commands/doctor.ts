import { configOption, defineCommand, flag, print } from './command.ts';

export const doctor = defineCommand({
  options: {
    config: configOption,
    'notify-test': flag('only send a test notice to notify.webhook and notify.command'),
  },
  help: `Checks everything that the server needs, and prints ok, warning or error with what to do for each: configuration,
permissions, PostgreSQL's programs, addresses, disk space, clock, database, certificate, purge and backups.

It changes nothing, and works beside a running server as well as with it stopped; the built-in database is not
started for it. Run it as root or as the user of the service, with the settings of the service.

Exit codes: 0 no error (there may be warnings), 1 there is an error, 2 wrong usage.

Examples:
  telemetricsd doctor
  telemetricsd doctor --config ./new.toml
  telemetricsd doctor --notify-test`,

  async run({ options }) {
    const [{ examine }, { testChannels }, { gravest }, { checksText }] = await Promise.all([
      import('../doctor/examine.ts'),
      import('../doctor/notify-test.ts'),
      import('../status/check.ts'),
      import('../doctor/text.ts'),
    ]);
    const checks = await (options['notify-test'] ? testChannels : examine)({ file: options.config });
    await print(checksText(checks));
    return gravest(checks) === 'error' ? 1 : 0;
  },
});

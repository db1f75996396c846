import { configOption, defineCommand, flag } from './command.ts';

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

  async run() {
    throw new Error('not implemented');
  },
});

import { loadConfig } from '../config/load.ts';
import { printConfig } from '../config/print.ts';
import { configOption, defineCommand, print } from './command.ts';

export const config = defineCommand({
  options: { config: configOption },
  help: `Prints the configuration that the other commands would run with, as a file with comments: what each
setting is for, what is allowed, and where its value came from. Passwords are masked.

A setting is looked up in this order; the first place that has it wins:
  1. the environment: TELEMETRICSD_SECTION_KEY, e.g. TELEMETRICSD_COLLECTOR_MAX_PAYLOAD="1 MB";
     an empty variable counts as not set
  2. the file named by --config, or else /etc/telemetricsd/config.toml if it exists
  3. its default

The file is TOML, with sections in brackets. In the environment, a list is one text with commas, which the
file also accepts.
  [http]
  listen = ["127.0.0.1:8080", { address = ":8081", serves = "collector" }]
is the same as
  TELEMETRICSD_HTTP_LISTEN=127.0.0.1:8080,:8081=collector

Exit codes: 0 all is well, 78 there are mistakes; each is printed with what is allowed.

Examples:
  telemetricsd config                                   see and check what is in force
  telemetricsd config --config new.toml >/dev/null      check a file before it is put in place
  telemetricsd config > config.toml                     a file to start from (fill in masked passwords)`,

  async run({ options }) {
    await print(printConfig(loadConfig({ file: options.config })));
    return 0;
  },
});

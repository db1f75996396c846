import { loadConfig } from '../config/load.ts';
import { urlOf } from '../server.ts';
import { welcomeText } from '../welcome.ts';
import { configOption, defineCommand, print } from './command.ts';

export const welcome = defineCommand({
  options: { config: configOption },
  help: `Prints the addresses of the pages, and a line for any shell that posts a record, for the configuration that the
server runs with.

Exit codes: 0 printed, 2 wrong usage, 78 wrong configuration.`,

  async run({ options }) {
    const { config } = loadConfig({ file: options.config });
    const places = config.http.listen.map(listener => ({ listener, url: urlOf(listener) }));
    await print(welcomeText(config, places));
    return 0;
  },
});

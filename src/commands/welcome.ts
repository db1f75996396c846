import { firstAccountLink } from '../access/command.ts';
import { urlOf } from '../config/listener.ts';
import { loadConfig } from '../config/load.ts';
import { welcomeText } from '../connect/welcome.ts';
import { configOption, defineCommand, print } from './command.ts';

export const welcome = defineCommand({
  options: { config: configOption },
  help: `Prints the addresses of the pages, and a shell command that posts a record, for the configuration that the server
runs with. If people have to sign in, the server runs and nobody has an account yet, it also prints a link that
makes the first account.

Exit codes: 0 printed, 2 wrong usage, 78 wrong configuration.`,

  async run({ options }) {
    const { config } = loadConfig({ file: options.config });
    const places = config.http.listen.map(listener => ({ listener, url: urlOf(listener) }));
    await print(welcomeText(config, places, await firstAccountLink(config)));
    return 0;
  },
});

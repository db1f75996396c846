import type { ListedPlugin } from '../plugins/list.ts';
import { configOption, defineCommand, print } from './command.ts';

export const pluginInit = defineCommand({
  argument: 'NAME',
  argumentNeeded: true,
  options: { config: configOption },
  help: `Writes a working view plugin into plugins/NAME/ beside the configuration file: a page of records by operating
system and kernel, its stylesheet, and what an editor needs to check it. If there is such a folder already, it
only renews the declarations of the module "telemetricsd", as after an upgrade.

The plugin is loaded once plugins.enabled names it and the server starts or gets SIGHUP.

Exit codes: 0 written, 1 not written, 2 wrong usage, 78 wrong configuration.

Examples:
  telemetricsd plugin init kernels
  telemetricsd plugin init kernels --config ./config.toml`,

  async run({ options, argument: name }) {
    const [{ loadConfig }, { initPlugin }, { join }] = await Promise.all([
      import('../config/load.ts'),
      import('../plugins/init.ts'),
      import('node:path'),
    ]);
    const { config, directory } = loadConfig({ file: options.config });
    const files = initPlugin(name!, join(directory, 'plugins'));
    await print(`Written:\n${files.map(file => `  ${file}\n`).join('')}${whatNext(name!, config.plugins.enabled)}`);
    return 0;
  },
});

function whatNext(name: string, enabled: string[]) {
  if (enabled.includes(name)) return 'It is enabled: SIGHUP lets a running server load it again.\n';
  const list = [...enabled, name].map(each => `"${each}"`).join(', ');
  return `To load it, put this into the configuration, and start the server or send it SIGHUP:

  [plugins]
  enabled = [${list}]

Its page will be /telemetryui/plugins/${name}.
`;
}

export const pluginList = defineCommand({
  options: { config: configOption },
  help: `Loads each plugin that is enabled or lies in plugins/ beside the configuration file for a moment, and shows
whether that worked. It does not affect a running server.

Exit codes: 0 all that are enabled can be loaded, 1 some can't, 2 wrong usage, 78 wrong configuration.

Examples:
  telemetricsd plugin list
  telemetricsd plugin list --config ./config.toml`,

  async run({ options }) {
    const [{ loadConfig }, { listPlugins }, { join }] = await Promise.all([
      import('../config/load.ts'),
      import('../plugins/list.ts'),
      import('node:path'),
    ]);
    const { config, directory } = loadConfig({ file: options.config });
    const folder = join(directory, 'plugins');
    const plugins = await listPlugins(config.plugins.enabled, folder);
    await print(plugins.length === 0 ? `There are no plugins in ${folder}.\n` : plugins.map(line).join(''));
    return plugins.some(({ enabled, problem }) => enabled && problem !== undefined) ? 1 : 0;
  },
});

function line({ name, enabled, title, problem }: ListedPlugin) {
  const state = enabled ? 'enabled' : 'not enabled';
  if (problem === undefined) return `${name} (${state}): "${title}"\n`;
  return `${name} (${state}) can't be loaded:\n${problem.replaceAll(/^/gm, '  ')}\n`;
}

import { resolve } from 'node:path';
import type { LoadedConfig } from './config/loaded.ts';

/** The state directory that `npm start` uses. */
const STATE_OF_CHECKOUT = '.state';

/**
 * A command for another terminal that works on the same database as this process. It names the program as it was
 * started, and where the environment and --config said that the data are. It leaves out the URL of a database, which
 * may hold a password.
 */
export function ownCommand(command: string, { config, origin }: LoadedConfig, file: string | undefined): string {
  const option = file === undefined ? '' : ` --config ${shellWord(resolve(file))}`;
  if (Bun.isStandaloneExecutable) return `${environment()}${installedName()} ${command}${option}`;
  if (command !== 'demo') return `${environment()}npx bun src/main.ts ${command}${option}`;
  return `${environment()}npm run demo${option && ` --${option}`}`;

  function environment(): string {
    if (origin('database.url') === 'TELEMETRICSD_DATABASE_URL') return 'TELEMETRICSD_DATABASE_URL=… ';
    const { dir } = config.state;
    const known = command === 'demo' && !Bun.isStandaloneExecutable && dir === resolve(STATE_OF_CHECKOUT);
    return known || origin('state.dir') !== 'TELEMETRICSD_STATE_DIR' ? '' : `TELEMETRICSD_STATE_DIR=${shellWord(dir)} `;
  }
}

function installedName(): string {
  return Bun.which('telemetricsd') === process.execPath ? 'telemetricsd' : shellWord(process.execPath);
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

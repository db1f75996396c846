import { loadConfig } from '../config/load.ts';
import type { LoadedConfig } from '../config/loaded.ts';
import { ConfigError } from '../config/problem.ts';
import type { Check } from '../status/check.ts';
import { backupDirectory } from './backups.ts';
import { certificateFiles } from './certificate.ts';
import { clock } from './clock.ts';
import { databaseChecks } from './database.ts';
import { diskSpace } from './disk.ts';
import { configurationFile, stateDirectory } from './files.ts';
import { lookAt } from './look.ts';
import { noticeProgram } from './notices.ts';
import { addresses } from './ports.ts';
import { postgresPrograms } from './programs.ts';
import { serverUser } from './server-user.ts';

/** Checks everything that a server with this configuration needs, whether or not it runs; changes nothing. */
export async function examine({ file }: { file?: string | undefined }): Promise<Check[]> {
  let loaded: LoadedConfig;
  try {
    loaded = loadConfig({ file });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const remedy = 'Correct it. The other checks need a correct configuration.';
    return [{ name: 'Configuration', level: 'error', text: error.message, remedy }];
  }
  const { config } = loaded;
  const user = serverUser(config.state.dir);
  const checks = await lookAt([
    ['Configuration', () => configurationFile(loaded, file, user)],
    ['State directory', () => stateDirectory(config, user)],
    ['PostgreSQL', () => postgresPrograms(config)],
    ['Addresses', () => addresses(config)],
    ['Disk', () => diskSpace(config)],
    ['Clock', () => clock(config)],
    ['Certificate', () => certificateFiles(config, user)],
    ['Backup directory', () => backupDirectory(config, user)],
    ['Notices', () => noticeProgram(config, user)],
  ]);
  return [...checks, ...(await databaseChecks(config))];
}

import type { Config } from './settings.ts';

export interface LoadedConfig {
  config: Config;
  /** The directory of the file, whether or not the file exists. */
  directory: string;
  /** Where a value such as `http.listen` came from: `default`, the path of a file or the name of a variable. */
  origin(key: string): string;
}

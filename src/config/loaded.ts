import type { Config } from './settings.ts';

export interface LoadedConfig {
  config: Config;
  /** That of the file, whether or not it is there. */
  directory: string;
  /** Where the value of `http.listen`, say, came from: `default`, the path of a file or the name of a variable. */
  origin(key: string): string;
}

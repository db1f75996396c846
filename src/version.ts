import packageJson from '../package.json' with { type: 'json' };

declare const VERSION: string;

/** The version of this program: set at build time, or package.json's while developing. */
export const PROGRAM_VERSION: string = typeof VERSION === 'string' ? VERSION : packageJson.version;

/** The PostgreSQL that the executable carries. */
export const POSTGRES_VERSION = '18.4';

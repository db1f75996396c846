import { POSTGRES_VERSION, PROGRAM_VERSION } from '../version.ts';
import { defineCommand, print } from './command.ts';

export const version = defineCommand({
  options: {},
  help: `Prints the versions of telemetricsd, of the Bun it was built with, and of the PostgreSQL it contains, a line each.
"telemetricsd --version", -V and -v do the same.`,

  async run() {
    await print(`telemetricsd ${PROGRAM_VERSION}\nBun ${Bun.version}\nPostgreSQL ${POSTGRES_VERSION}\n`);
    return 0;
  },
});

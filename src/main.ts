import { run } from './commands/run.ts';

// Not process.exitCode: a command that failed may leave sockets or children that would keep the process alive.
process.exit(await run(process.argv.slice(2)));

const args = process.argv.slice(2);
if (args[0] === 'demangler-process') {
  const { serveDemangler } = await import('./crashes/demangle/demangler-process.ts');
  serveDemangler();
  process.exit(0);
}
if (args[0] === 'plugin-process') {
  const { servePlugin } = await import('./plugins/plugin-process.ts');
  await servePlugin();
  process.exit(0);
}
if (args[0] === 'parser-process') {
  const { serveParser } = await import('./parsers/parser-process.ts');
  await serveParser();
  process.exit(0);
}
const { run } = await import('./commands/run.ts');
// Not process.exitCode: a command that failed may leave sockets or children that would keep the process alive.
process.exit(await run(args));

export {};

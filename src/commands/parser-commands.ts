import type { CommandEntry } from './commands.ts';

export const parserCommands: Record<string, CommandEntry> = {
  init: { summary: 'write a payload parser to start from', load: async () => (await import('./parser.ts')).parserInit },
  test: { summary: 'let one read files', load: async () => (await import('./parser.ts')).parserTest },
  run: { summary: 'let one read records again', load: async () => (await import('./parser.ts')).parserRun },
};

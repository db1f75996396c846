import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ChildLost, startChild } from '../children/child.ts';
import { type KeptChild, keepChild } from '../children/keep-child.ts';
import { READY } from '../children/serve-lines.ts';
import type { Parsed, ParserRecord } from './parser.ts';
import { PARSER_ARGUMENT, type ParserAnswer, type ParserLoaded } from './parser-process.ts';

const MOST_MEMORY = 384 * 2 ** 20;
const CPU_MS = 500;

const PROGRAM = {
  args: [PARSER_ARGUMENT],
  script: join(import.meta.dir, 'parser-process.ts'),
  startMs: 15_000,
  cpuMs: CPU_MS,
  wallMs: 5_000,
  mostBytes: MOST_MEMORY,
  prints: true,
};

const LOST: Record<ChildLost['reason'], string> = {
  time: `it took longer than ${CPU_MS / 1000} s and was stopped`,
  memory: `it took more than ${MOST_MEMORY / 2 ** 20} MB and was stopped`,
  ended: 'its process ended',
};

/** The parser can't be loaded, or failed on a record; the message is for whoever wrote it. */
export class ParserProblem extends Error {
  /** Its process has to be replaced. */
  readonly lost: boolean;

  constructor(message: string, lost: boolean) {
    super(message);
    this.lost = lost;
  }
}

/** There is no file of that name. */
export class ParserMissing extends ParserProblem {}

/** A parser of an admin in a process of its own. */
interface ParserChild {
  classifications: string[];
  /** One record at a time. Rejects with `ParserProblem`. */
  parse(record: ParserRecord): Promise<Parsed>;
  kill(): Promise<void>;
}

/** A process for the parser of that name, again and again; rejects with `ParserProblem` where it can't be loaded. */
export function keepParserChild(directory: string, name: string): KeptChild<ParserChild> {
  return keepChild(
    () => startParserChild(directory, name),
    error => error instanceof ParserProblem && error.lost,
  );
}

async function startParserChild(directory: string, name: string): Promise<ParserChild> {
  const source = sourceOf(directory, name);
  const child = await startChild(PROGRAM, { files: [source] }).catch(error => {
    throw error instanceof ChildLost ? new ParserProblem('its process does not start', true) : error;
  });
  async function ask<T extends ParserAnswer | ParserLoaded>(line: string): Promise<T> {
    try {
      return JSON.parse(await child.ask(line));
    } catch (error) {
      throw error instanceof ChildLost ? new ParserProblem(LOST[error.reason], true) : error;
    }
  }
  try {
    if (child.greeting !== READY) throw new ParserProblem('its process does not start', true);
    const loaded = await ask<ParserLoaded>(source);
    if ('problem' in loaded) throw new ParserProblem(loaded.problem, true);
    return {
      classifications: loaded.classifications,
      async parse(record) {
        const answer = await ask<ParserAnswer>(JSON.stringify(record));
        if ('problem' in answer) throw new ParserProblem(answer.problem, answer.exhausted);
        return answer.data;
      },
      kill: child.kill,
    };
  } catch (error) {
    await child.kill();
    throw error;
  }
}

function sourceOf(directory: string, name: string): string {
  const files = [`${name}.ts`, `${name}.js`, join(name, 'main.ts'), join(name, 'main.js')];
  const source = files.map(file => join(directory, file)).find(existsSync);
  if (source) return source;
  throw new ParserMissing(`there is neither ${join(directory, `${name}.ts`)} nor ${join(name, 'main.ts')}`, true);
}

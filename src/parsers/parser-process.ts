import { dirname } from 'node:path';
import { z } from 'zod';
import { endWithParent } from '../children/end-with-parent.ts';
import { describeBriefly, describeFully, isOutOfMemory } from '../children/foreign-error.ts';
import { limitMemory } from '../children/limits.ts';
import { goAfterOthers } from '../children/manners.ts';
import { inputLines, keepStdoutForAnswers, READY } from '../children/serve-lines.ts';
import { classificationPattern } from '../config/values.ts';
import { parsedData, UnfitResult } from './data.ts';
import type { Parsed, ParserRecord } from './parser.ts';

/** The first argument that makes the executable run a parser instead of a command. */
export const PARSER_ARGUMENT = 'parser-process';

const MORE_MEMORY_BYTES = 256 * 2 ** 20;

/** What it answers to the first line, the path of the parser; `problem` is for whoever wrote that. */
export type ParserLoaded = { classifications: string[] } | { problem: string };

/** What it answers to each line after that, a `ParserRecord`; once it is exhausted it is of no use any more. */
export type ParserAnswer = { data: Parsed } | { problem: string; exhausted: boolean };

/** Runs a parser of an admin, a line of JSON for a line of JSON. Ends with its input. */
export async function serveParser(): Promise<void> {
  const answer = keepStdoutForAnswers();
  endWithParent();
  limitMemory(MORE_MEMORY_BYTES);
  goAfterOthers();
  answer(READY);
  const lines = inputLines();
  const { value: source } = lines.next();
  if (source === undefined) return;
  let parser: Exported;
  try {
    parser = await load(source);
  } catch (error) {
    const problem = error instanceof UnfitResult ? error.message : describeFully(error);
    return answer(JSON.stringify({ problem } satisfies ParserLoaded));
  }
  answer(JSON.stringify({ classifications: parser.classifications } satisfies ParserLoaded));
  for (const line of lines) answer(JSON.stringify(await answerTo(line, parser, dirname(source))));
}

const CLASSIFICATIONS = 'it exports no "classifications", a list of one or more';
const FUNCTION = 'it exports no function of a record, as its default or as "parse"';
const parse = z.custom<(record: ParserRecord) => unknown>(value => typeof value === 'function', FUNCTION);
const exported = z
  .object({
    classifications: z.array(classificationPattern, CLASSIFICATIONS).min(1, CLASSIFICATIONS),
    default: parse.optional(),
    parse: parse.optional(),
  })
  .refine(module => module.default ?? module.parse, FUNCTION);
type Exported = { classifications: string[]; parse: (record: ParserRecord) => unknown };

async function load(source: string): Promise<Exported> {
  const result = exported.safeParse({ ...(await import(source)) });
  if (!result.success) throw new UnfitResult(result.error.issues.map(issue => issue.message).join('; '));
  const { classifications, default: whole, parse: named } = result.data;
  return { classifications, parse: whole ?? named! };
}

async function answerTo(line: string, { parse }: Exported, folder: string): Promise<ParserAnswer> {
  try {
    return { data: parsedData(await parse(JSON.parse(line))) };
  } catch (error) {
    const problem = error instanceof UnfitResult ? error.message : describeBriefly(error, folder);
    return { problem, exhausted: isOutOfMemory(error) };
  }
}

if (import.meta.main) await serveParser();

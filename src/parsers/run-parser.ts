import type { Config } from '../config/settings.ts';
import { OperatorError } from '../errors.ts';
import { recordToJson } from '../records/json.ts';
import type { StoredRecord } from '../records/record.ts';
import { builtInParsers } from './built-in/parsers.ts';
import { parsedData } from './data.ts';
import { BUILT_IN_LANE, type Lane, laneOf, type Parsed } from './parser.ts';
import { keepParserChild, ParserMissing, ParserProblem } from './parser-child.ts';

/** A parser by its name, for a command. */
export interface RunningParser {
  classifications: string[];
  /** Where its records wait. */
  lane: Lane;
  /** Rejects with `ParserProblem`; works again after that. */
  parse(record: StoredRecord): Promise<Parsed>;
  stop(): Promise<void>;
}

/** That of an admin, if there is one of that name, else the one that the program brings. */
export async function openParser(name: string, directory: string, config: Config): Promise<RunningParser> {
  try {
    return await openCustom(name, directory);
  } catch (error) {
    if (!(error instanceof ParserProblem)) throw error;
    const parser = builtInParsers(config).find(each => each.name === name);
    if (parser && error instanceof ParserMissing) {
      return {
        classifications: parser.classifications,
        lane: BUILT_IN_LANE,
        parse: async ({ payload }) => parsedData(parser.parse(payload)),
        stop: async () => {},
      };
    }
    throw new OperatorError(`the parser ${name} can't be loaded: ${error.message}`);
  }
}

async function openCustom(name: string, directory: string): Promise<RunningParser> {
  const child = keepParserChild(directory, name);
  const classifications = await child.use(async loaded => loaded.classifications);
  return {
    classifications,
    lane: laneOf(name),
    parse: record => child.use(({ parse }) => parse(recordToJson(record))),
    stop: child.stop,
  };
}

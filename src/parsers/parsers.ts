import { OperatorError } from '../errors.ts';
import { type ClassificationTest, classificationTest } from '../records/classification.ts';
import { type CustomParser, type CustomParserOptions, openCustomParser } from './custom-parser.ts';
import { conflictOf, type Lane, laneOf } from './parser.ts';
import { adoptOrphans } from './queue.ts';

export interface ParsersOptions extends Omit<CustomParserOptions, 'name'> {
  /** Those that are enabled; asked at each load. */
  enabled: () => string[];
}

/** A parser that does not work. */
export interface ParserTrouble {
  name: string;
  reason: string;
}

/** The parsers of admins. */
export interface Parsers {
  /** Where records of a classification wait for one of them. */
  laneOf(classification: string): Lane | undefined;
  troubles(): ParserTrouble[];
  /** Reads the settings again and loads every parser anew. Never rejects: where that fails, they stay as they are. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

const STOP_MS = 2_000;
/** A record may have been on its way to a parser when that was taken away. */
const ADOPT_EVERY_MS = 60_000;

/** Loads the parsers; throws OperatorError where two of them take the same classification. */
export async function startParsers(options: ParsersOptions): Promise<Parsers> {
  const { enabled, sql, log } = options;
  let loaded: Loaded = { parsers: [], tests: [] };
  let loading = Promise.resolve();

  async function load() {
    const next = await loadAll(enabled(), options);
    const before = loaded.parsers;
    loaded = next;
    await Promise.all(before.map(parser => parser.stop()));
    await adopt();
    for (const parser of next.parsers) parser.start();
    if (next.parsers.length + before.length > 0)
      log.info('parsers are loaded', {
        enabled: next.parsers.length,
        loaded: next.parsers.filter(({ trouble }) => trouble === undefined).length,
      });
  }

  const adopt = () =>
    adoptOrphans(
      sql,
      loaded.parsers.map(({ name }) => laneOf(name)),
    );

  await load();
  const adopting = setInterval(() => void adopt().catch(() => {}), ADOPT_EVERY_MS);
  return {
    laneOf: classification => loaded.tests.find(({ fits }) => fits(classification))?.lane,
    troubles: () =>
      loaded.parsers.flatMap(({ name, trouble }) => (trouble === undefined ? [] : [{ name, reason: trouble }])),
    reload() {
      loading = loading.then(load).catch(error => {
        log.error('parsers stay as they are, since loading them failed', { reason: (error as Error).message });
      });
      return loading;
    },
    async stop() {
      clearInterval(adopting);
      await Promise.race([Promise.all(loaded.parsers.map(parser => parser.stop())), Bun.sleep(STOP_MS)]);
    },
  };
}

interface Loaded {
  parsers: CustomParser[];
  tests: { lane: Lane; fits: ClassificationTest }[];
}

async function loadAll(names: string[], options: Omit<CustomParserOptions, 'name'>): Promise<Loaded> {
  const parsers = await Promise.all(names.map(name => openCustomParser({ ...options, name })));
  const claims = parsers.map(({ name, classifications }) => ({ parser: name, classifications }));
  const conflict = conflictOf(claims);
  if (conflict) {
    await Promise.all(parsers.map(parser => parser.stop()));
    const [one, other] = conflict.parsers;
    const [pattern, same] = conflict.patterns;
    throw new OperatorError(
      `the parsers ${one} and ${other} both take ${pattern === same ? pattern : `what fits ${pattern} and ${same}`}`,
      'Take one of them out of parsers.enabled, or let it take other classifications.',
    );
  }
  return {
    parsers,
    tests: claims.map(({ parser, classifications }) => ({
      lane: laneOf(parser),
      fits: classificationTest(classifications),
    })),
  };
}

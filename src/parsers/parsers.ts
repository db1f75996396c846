import { hostname } from 'node:os';
import { OperatorError } from '../errors.ts';
import { type ClassificationTest, classificationTest } from '../records/classification.ts';
import { type CustomParser, type CustomParserOptions, openCustomParser } from './custom-parser.ts';
import { conflictOf, type Lane, laneOf } from './parser.ts';
import { type EnabledThere, leaveOthers, settleWithOthers } from './servers.ts';

interface ParsersOptions extends Omit<CustomParserOptions, 'name'> {
  /** Returns the enabled parsers; called at each load. */
  enabled: () => string[];
}

/** A parser that does not work. */
export interface ParserTrouble {
  name: string;
  reason: string;
}

/** The state of an admin's parser. */
export interface ParserState {
  name: string;
  /** Empty if it could not be loaded. */
  classifications: string[];
  /** 'disabled' after repeated failures; 'left out' if it could not be loaded. */
  state: 'reads' | 'disabled' | 'left out';
  reason: string | undefined;
  /** Records read since it was loaded. */
  read: number;
}

/** The admins' parsers. */
export interface Parsers {
  /** The queue of the admin's parser for a classification. */
  laneOf(classification: string): Lane | undefined;
  troubles(): ParserTrouble[];
  states(): ParserState[];
  /** The enabled parsers of other servers on this database, if they differ. */
  differing(): EnabledThere[];
  /**
   * Reads the settings again and loads every parser anew. Never rejects: if loading fails, the parsers stay as they
   * are.
   */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

const STOP_MS = 2_000;
/** Repeated, since a record may have been on its way to a parser when that was removed. */
const SETTLE_EVERY_MS = 60_000;

/** Loads the parsers; throws OperatorError if two of them take the same classification. */
export async function startParsers(options: ParsersOptions): Promise<Parsers> {
  const { enabled, sql, log } = options;
  const server = crypto.randomUUID();
  let loaded: Loaded = { parsers: [], tests: [] };
  let differing: EnabledThere[] = [];
  let loading = Promise.resolve();
  let stopped = false;

  async function load() {
    const next = await loadAll(enabled(), options);
    const before = loaded.parsers;
    loaded = next;
    await stopAll(before);
    if (stopped) return stopAll(next.parsers);
    for (const parser of next.parsers) parser.start();
    if (next.parsers.length + before.length > 0)
      log.info('parsers are loaded', {
        enabled: next.parsers.length,
        loaded: next.parsers.filter(({ trouble }) => trouble === undefined).length,
      });
    await settle();
  }

  /** Never rejects: it runs again soon. */
  async function settle() {
    const here = loaded.parsers.map(({ name }) => name);
    try {
      const others = await settleWithOthers(sql, server, { host: hostname(), enabled: here });
      const before = JSON.stringify(differing);
      differing = others.filter(other => isOther(here, other.enabled));
      if (differing.length > 0 && JSON.stringify(differing) !== before) {
        const there = differing.map(other => `${other.host}: ${other.enabled.join(', ') || 'none'}`);
        log.warn('servers on this database differ in parsers.enabled: a parser reads what came to those that have it', {
          here: here.join(', ') || 'none',
          elsewhere: there.join('; '),
        });
      }
    } catch (error) {
      log.limited('parsers of servers', 'warn', 'what other servers have enabled is not known', {
        reason: (error as Error).message,
      });
    }
  }

  await load();
  const settling = setInterval(() => void settle(), SETTLE_EVERY_MS);
  return {
    laneOf: classification => loaded.tests.find(({ fits }) => fits(classification))?.lane,
    troubles: () =>
      loaded.parsers.flatMap(({ name, trouble }) => (trouble === undefined ? [] : [{ name, reason: trouble }])),
    states: () => loaded.parsers.map(stateOf),
    differing: () => differing,
    reload() {
      loading = loading.then(load).catch(error => {
        log.error('parsers stay as they are, since loading them failed', { reason: (error as Error).message });
      });
      return loading;
    },
    async stop() {
      stopped = true;
      clearInterval(settling);
      const left = leaveOthers(sql, server).catch(() => {});
      await Promise.race([Promise.all([stopAll(loaded.parsers), left]), Bun.sleep(STOP_MS)]);
    },
  };
}

const stopAll = async (parsers: CustomParser[]) => {
  await Promise.all(parsers.map(parser => parser.stop()));
};

function stateOf({ name, classifications, trouble, read }: CustomParser): ParserState {
  const disabled = classifications.length > 0 ? 'disabled' : 'left out';
  return { name, classifications, state: trouble === undefined ? 'reads' : disabled, reason: trouble, read };
}

function isOther(here: string[], there: string[]): boolean {
  return here.toSorted().join() !== there.toSorted().join();
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
    await stopAll(parsers);
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

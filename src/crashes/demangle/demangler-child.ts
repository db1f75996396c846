import { join } from 'node:path';
import { ChildLost, startChild } from '../../children/child.ts';
import { READY } from '../../children/serve-lines.ts';
import { DEMANGLER_ARGUMENT, type DemanglerAnswer } from './demangler-process.ts';

const PROGRAM = {
  args: [DEMANGLER_ARGUMENT],
  script: join(import.meta.dir, 'demangler-process.ts'),
  startMs: 15_000,
  cpuMs: 50,
  wallMs: 5_000,
};

/** The demangler can't be started here, as where libstdc++ is missing. */
export class DemanglerUnavailable extends Error {}

export interface DemanglerChild {
  /** One request at a time. Rejects with `ChildLost`. */
  ask(names: string[]): Promise<DemanglerAnswer[]>;
  /** Kills it; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts the demangler as a process of its own. */
export async function startDemanglerChild(): Promise<DemanglerChild> {
  const child = await startChild(PROGRAM).catch(error => {
    if (error instanceof ChildLost) throw new DemanglerUnavailable('the demangler does not start');
    throw error;
  });
  if (child.greeting === READY) {
    return {
      ask: async names => JSON.parse(await child.ask(JSON.stringify(names))),
      kill: child.kill,
    };
  }
  await child.kill();
  throw new DemanglerUnavailable('the demangler does not start');
}

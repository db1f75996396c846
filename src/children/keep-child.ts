export interface KeptChild<Child> {
  /** Asks the child, which is started where there is none. One call at a time. */
  use<Answer>(ask: (child: Child) => Promise<Answer>): Promise<Answer>;
  /** Kills it; resolves when it is gone. */
  stop(): Promise<void>;
}

/** Keeps a child: starts it when it is first used, and again after an error by which it is of no more use. */
export function keepChild<Child extends { kill(): Promise<void> }>(
  start: () => Promise<Child>,
  isLost: (error: unknown) => boolean,
): KeptChild<Child> {
  let child: Child | undefined;

  async function stop() {
    await child?.kill();
    child = undefined;
  }

  return {
    async use(ask) {
      try {
        child ??= await start();
        return await ask(child);
      } catch (error) {
        if (isLost(error)) await stop();
        throw error;
      }
    },
    stop,
  };
}

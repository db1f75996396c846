// The built executable finds threads only from a module that lies directly in src.

export function startCrashWorker(): Worker {
  return new Worker(new URL('./crashes/worker.ts', import.meta.url));
}

export function startScrubWorker(): Worker {
  return new Worker(new URL('./privacy/scrub-worker.ts', import.meta.url));
}

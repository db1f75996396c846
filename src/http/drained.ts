import type { EventEmitter } from 'node:events';

/** Resolves once everything written has been taken, or the other side is gone. */
export function drained(writable: EventEmitter): Promise<void> {
  return new Promise(resolve => {
    function done() {
      writable.off('drain', done).off('close', done);
      resolve();
    }
    writable.on('drain', done).on('close', done);
  });
}

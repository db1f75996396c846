import { RequestError } from '../errors.ts';

/** Of all bodies that have begun to come and are not complete. */
const BYTES = 64 * 1024 * 1024;
/** However large bodies may be, so many of them fit. */
const LARGEST_BODIES = 4;

/** Room in memory for the bodies that all listeners are reading. */
export interface BodyRoom {
  /** Bytes that are held. */
  readonly held: number;
  /** A place for a body, which grows as that comes. */
  open(): BodyPlace;
}

interface BodyPlace {
  /** Throws a RequestError where there is no room for so many bytes more. */
  grow(bytes: number): void;
  close(): void;
}

export function bodyRoom(largestBody: number, bytes = Math.max(BYTES, LARGEST_BODIES * largestBody)): BodyRoom {
  let held = 0;
  return {
    get held() {
      return held;
    },
    open() {
      let own = 0;
      return {
        grow(more) {
          if (held + more > bytes)
            throw new RequestError(
              503,
              'the server is reading too many requests at the moment: send this one again later',
            );
          held += more;
          own += more;
        },
        close() {
          held -= own;
          own = 0;
        },
      };
    },
  };
}

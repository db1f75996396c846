import type { Log } from '../log.ts';
import { quoted } from './fields.ts';

/** A request that was posted to a path that takes no records. */
interface AstrayPost {
  path: string;
  address: string | null;
  at: Date;
}

/** Such requests since this process started. */
export interface AstrayPosts {
  /**
   * Requests with a TID come from machines whose server= is wrong; the others may come from anyone who tries addresses.
   */
  withTid: number;
  others: number;
  lastWithTid: AstrayPost | undefined;
}

export interface Astray {
  note(request: { path: string; address: string | null; hasTid: boolean }): void;
  posts(): AstrayPosts;
}

const LOGGED_CHARACTERS = 100;

export function watchAstray(log: Log): Astray {
  const posts: AstrayPosts = { withTid: 0, others: 0, lastWithTid: undefined };
  return {
    note({ path, address, hasTid }) {
      log.limited(`astray ${hasTid}`, hasTid ? 'warn' : 'info', 'a POST to a path that takes no records', {
        path: path.slice(0, LOGGED_CHARACTERS),
        tid: hasTid,
        address,
      });
      if (!hasTid) posts.others++;
      else {
        posts.withTid++;
        posts.lastWithTid = { path: quoted(path), address, at: new Date() };
      }
    },
    posts: () => ({ ...posts }),
  };
}

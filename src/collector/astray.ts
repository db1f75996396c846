import type { Log } from '../log.ts';
import { quoted } from './fields.ts';

/** A request that was posted to a path that takes no records. */
export interface AstrayPost {
  path: string;
  address: string | null;
  at: Date;
}

/** Such requests since this process started. */
export interface AstrayPosts {
  /** With a TID: machines whose server= is wrong. Others may be anyone who tries addresses. */
  withTid: number;
  others: number;
  lastWithTid: AstrayPost | undefined;
}

export interface Astray {
  note(request: { path: string; address: string | null; hasTid: boolean }): void;
  posts(): AstrayPosts;
}

export function watchAstray(log: Log): Astray {
  const posts: AstrayPosts = { withTid: 0, others: 0, lastWithTid: undefined };
  return {
    note({ path, address, hasTid }) {
      const shown = quoted(path);
      log.limited(`astray ${hasTid}`, hasTid ? 'warn' : 'info', 'a POST to a path that takes no records', {
        path: shown,
        tid: hasTid,
        address,
      });
      if (!hasTid) posts.others++;
      else {
        posts.withTid++;
        posts.lastWithTid = { path: shown, address, at: new Date() };
      }
    },
    posts: () => ({ ...posts }),
  };
}

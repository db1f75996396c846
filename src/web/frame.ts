import type { Context } from 'hono';
import type { PageFrame } from '../../views/layout.tsx';
import { may } from '../roles.ts';
import { PROGRAM_VERSION } from '../version.ts';

/** Makes what every page needs around its content. */
export type MakeFrame = (c: Context) => Promise<PageFrame>;

/** The same for pages that need no database. */
export type BareFrame = (c: Context) => PageFrame;

/** What a page shows around its content, beside who looks at it. */
type Surroundings = Pick<PageFrame, 'quarantined' | 'kept' | 'plugins'>;

export function frameMaker(asset: (name: string) => string, surroundings: () => Promise<Surroundings>): MakeFrame {
  return async c => ({ ...bareFrame(c, asset), ...(await surroundings()) });
}

/** A frame for pages that need no database. */
export function bareFrame(c: Context, asset: (name: string) => string): PageFrame {
  const visitor = c.get('visitor');
  return {
    asset,
    version: PROGRAM_VERSION,
    quarantined: 0,
    kept: {},
    now: new Date(),
    visitor: visitor && visitor.via !== 'token' ? visitor : undefined,
    readonly: !may(visitor, 'analyse'),
    plugins: [],
  };
}

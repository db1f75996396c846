import type { FC } from 'hono/jsx';
import { Cut } from '../parts/parts.tsx';
import { visible } from '../parts/visible.ts';
import type { GuiltyRef } from './links.ts';

/**
 * Function and module on two lines, cut for the eye; the whole name is there on hover, for screen readers and on its
 * page.
 */
export const GuiltyName: FC<{ guilty: Omit<GuiltyRef, 'id'>; href?: string | undefined }> = ({ guilty, href }) => (
  <span class="guilty-name">
    {href ? (
      <a href={href}>
        <Cut text={visible(guilty.function)} />
      </a>
    ) : (
      <Cut text={visible(guilty.function)} />
    )}
    <Cut text={visible(guilty.module)} class="mono soft" />
  </span>
);

const LONG = 240;

/** A function name of any length: long ones wrap, and the rest of a very long one opens in place. */
export const FunctionName: FC<{ text: string }> = ({ text }) => {
  const shown = visible(text);
  if (shown.length <= LONG) return <span class="mono">{shown}</span>;
  return (
    <details class="long mono">
      <summary>
        <span class="beginning">{`${shown.slice(0, LONG)}…`}</span>
        <span class="closing">Close</span>
      </summary>
      {shown}
    </details>
  );
};

import type { FC } from 'hono/jsx';
import { type FilterValues, recordsPath } from '../parts/links.ts';
import { count, counted } from '../parts/parts.tsx';

export interface FoundProps {
  /** `machines`: how many machine ids sent them, where that is known. */
  found: { n: number; more: boolean; machines?: number | undefined };
}

/** `1,234 records found`, or that there are more than were counted. */
export const FoundCount: FC<FoundProps> = ({ found: { n, more, machines } }) => (
  <p role="status" id="found">
    {more ? `More than ${count(n)} records found` : `${counted(n, 'record')} found`}
    {machines !== undefined && n > 0 && <span class="soft">, from {counted(machines, 'machine id')}</span>}
  </p>
);

export const NotCounted: FC<{ reason: string }> = ({ reason }) => (
  <p role="status" id="found">
    Not counted: {reason}
  </p>
);

/** Asks for the count in a request of its own, so that the list need not wait for it. */
export const CountLater: FC<{ filter: FilterValues }> = ({ filter }) => {
  const href = recordsPath(filter).replace('/records', '/records/count');
  return (
    <p role="status" id="found" hx-get={href} hx-trigger="load" hx-swap="outerHTML">
      <a href={href}>Count them</a>
    </p>
  );
};

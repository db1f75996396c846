import type { FC } from 'hono/jsx';
import { Cut } from './parts.tsx';

export const MACHINE_UNKNOWN = 'machine unknown';

/** A machine id cut to its beginning, with a link; '' stands for a machine that did not say who it is. */
export const MachineCell: FC<{ id: string; hrefOf: (id: string) => string }> = ({ id, hrefOf }) =>
  id === '' ? (
    <span class="soft">{MACHINE_UNKNOWN}</span>
  ) : (
    <a href={hrefOf(id)}>
      <Cut text={id} />
    </a>
  );

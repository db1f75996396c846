import type { FC } from 'hono/jsx';
import { recordPath } from '../parts/links.ts';
import { counted } from '../parts/parts.tsx';
import { visible } from '../parts/visible.ts';

const PREVIEW = 160;
const SHORT = 90;

/** The beginning of the payload on one line; the rest opens in place, up to `limit` characters. */
export const PayloadCell: FC<{ id: number; payload: string; limit: number }> = ({ id, payload, limit }) => {
  if (payload === '') return <span class="soft">empty</span>;
  const text = visible(payload.slice(0, limit).trimEnd());
  const line = text.slice(0, PREVIEW).replace(/\s+/g, ' ').trim();
  if (payload.length <= SHORT && !text.includes('\n')) return <span class="mono soft">{line}</span>;
  return (
    <details class="payload">
      <summary>
        <span class="beginning mono">{line}</span>
        <span class="closing">Close · {counted(payload.length, 'character')}</span>
      </summary>
      <pre>
        <code>{text}</code>
      </pre>
      {payload.length > limit && <a href={recordPath(id)}>Whole payload on the record's page</a>}
    </details>
  );
};

export const PayloadBlock: FC<{ id: string; payload: string }> = ({ id, payload }) => (
  <CopyLines id={id} text={visible(payload)} what="payload" />
);

export const NulNote: FC<{ bytes: number }> = ({ bytes }) => (
  <p class="notice warning">
    This payload contains {bytes} NUL {bytes === 1 ? 'byte' : 'bytes'}, shown as ␀. The API returns{' '}
    {bytes === 1 ? 'it as it' : 'them as they'} came.
  </p>
);

/** Names the rules that removed something from a payload, if any did. */
export const ScrubbedNote: FC<{ by: string[] }> = ({ by }) =>
  by.length === 0 ? null : (
    <p class="notice warning">
      Scrubbed by {by.join(', ')}: before this payload was stored, what{' '}
      {by.length === 1 ? 'this rule matches' : 'these rules match'} was removed.
    </p>
  );

/** Lines to copy elsewhere. */
export const CopyLines: FC<{ id: string; text: string; what: string }> = ({ id, text, what }) => (
  <div class="copyable">
    <CopyButton of={id} what={what} />
    <pre tabindex={0}>
      <code id={id}>{text}</code>
    </pre>
  </div>
);

const CopyButton: FC<{ of: string; what: string }> = ({ of, what }) => (
  <button type="button" class="copy" data-copy={of} aria-live="polite" title={`Copy ${what}`}>
    Copy
  </button>
);

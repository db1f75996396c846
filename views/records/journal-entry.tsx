import type { FC, PropsWithChildren } from 'hono/jsx';
import { Scroll } from '../parts/parts.tsx';
import { visible } from '../parts/visible.ts';
import { CopyLines } from './payload.tsx';

/** The fields of a journal entry, each with its values. */
export type ShownEntry = ReadonlyMap<string, string[]>;

/** A journal entry as its message and its other fields; `children` is the payload. */
export const JournalEntryBlock: FC<PropsWithChildren<{ entry: ShownEntry }>> = ({ entry, children }) => {
  const message = entry.get('MESSAGE')?.join('\n');
  const fields = [...entry].filter(([name]) => name !== 'MESSAGE');
  return (
    <>
      {message && (
        <>
          <h3>Message</h3>
          <CopyLines id="message" text={visible(message)} what="message" />
        </>
      )}
      {fields.length > 0 && (
        <>
          <h3>Fields of the journal entry</h3>
          <FieldTable fields={fields} />
        </>
      )}
      <details>
        <summary>The entry as JSON</summary>
        {children}
      </details>
    </>
  );
};

const FieldTable: FC<{ fields: [string, string[]][] }> = ({ fields }) => (
  <Scroll label="Fields of the journal entry" fit>
    <table>
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Value</th>
        </tr>
      </thead>
      <tbody>
        {fields.map(([name, values]) => (
          <tr>
            <th scope="row" class="mono">
              {visible(name)}
            </th>
            <td>
              {values.map((value, place) => (
                <>
                  {place > 0 && ', '}
                  {value === '' ? <span class="soft">empty</span> : visible(value)}
                </>
              ))}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
);

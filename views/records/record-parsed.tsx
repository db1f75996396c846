import type { FC } from 'hono/jsx';
import type { Data } from '../../src/parsers/parser.ts';
import { recordsPath } from '../parts/links.ts';
import { Scroll } from '../parts/parts.tsx';

/** The state of reading a payload; `parser` is undefined for a built-in parser. */
export type RecordParsed =
  | { state: 'waiting'; parser: string | undefined }
  | { state: 'failed'; parser: string | undefined; error: string }
  | { state: 'parsed'; parser: string; data: { [key: string]: Data } };

export const ParsedSection: FC<{ classification: string; parsed: RecordParsed }> = ({ classification, parsed }) => (
  <section aria-labelledby="parsed-heading">
    <h2 id="parsed-heading">Read from the payload</h2>
    {parsed.state === 'waiting' && <p class="notice">This record waits for {nameOf(parsed.parser)}.</p>}
    {parsed.state === 'failed' && (
      <p class="notice error">
        {nameOf(parsed.parser)} failed: {parsed.error}. The record was set aside; once the parser is fixed, it can read
        it again: <a href="/telemetryui/parsers">Parsers</a>.
      </p>
    )}
    {parsed.state === 'parsed' && (
      <Scroll label={`What the parser ${parsed.parser} has read`} fit>
        <table>
          <thead>
            <tr>
              <th scope="col">Key</th>
              <th scope="col">Value</th>
            </tr>
          </thead>
          <tbody>
            {leaves(parsed.data).map(({ path, values }) => (
              <tr>
                <th scope="row" class="mono">
                  {path.join('.')}
                </th>
                <td>
                  {values.map((value, place) => (
                    <>
                      {place > 0 && ', '}
                      {isSearchable(path, value) ? (
                        <a href={recordsPath({ classification, [`parsed.${path.join('.')}`]: text(value) })}>
                          {text(value)}
                        </a>
                      ) : (
                        text(value)
                      )}
                    </>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    )}
  </section>
);

const nameOf = (parser: string | undefined) => (parser === undefined ? 'its parser' : `the parser ${parser}`);

interface Leaf {
  path: string[];
  values: Data[];
}

/** Values by the path of keys to them; a list of single values stays one value. */
const leaves = (data: { [key: string]: Data }, before: string[] = []): Leaf[] =>
  Object.entries(data).flatMap(([name, value]) => {
    const path = [...before, name];
    if (Array.isArray(value)) return [{ path, values: value }];
    return typeof value === 'object' && value !== null ? leaves(value, path) : [{ path, values: [value] }];
  });

const text = (value: Data): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** By the rules of src/records/filter.ts. */
const isSearchable = (path: string[], value: Data): boolean =>
  path.length <= 4 &&
  path.every(name => /^[\w-]{1,64}$/.test(name)) &&
  (typeof value !== 'object' || value === null) &&
  /^\P{C}{1,256}$/u.test(text(value));

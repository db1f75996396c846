import type { FC } from 'hono/jsx';
import type { Token } from '../../src/access/tokens.ts';
import { TOKEN_SCOPES, type TokenScope } from '../../src/roles.ts';
import { Page, type PageFrame } from '../layout.tsx';
import { SelectField, TextField } from '../parts/fields.tsx';
import { EmptyState, type NoticeProps, Scroll, Time } from '../parts/parts.tsx';
import { Secret } from './secret.tsx';

export interface TokensPageProps {
  frame: PageFrame;
  tokens: Token[];
  /** The one that was just made. */
  made?: { name: string; token: string } | undefined;
  values?: { name?: string | undefined; scopes?: string[]; days?: string | undefined };
  errors?: Record<string, string> | undefined;
  notice?: NoticeProps | undefined;
}

const LEAD = 'A script sends its token with each request: Authorization: Bearer TOKEN.';

const MEANING: Record<TokenScope, string> = {
  'records:read': 'read records, views and crashes',
  'analysis:write': 'edit the never-guilty list, recompute',
  'metrics:read': 'read /metrics',
};

const DAYS: [string, string][] = [
  ['30', '30 days'],
  ['90', '90 days'],
  ['365', 'a year'],
  ['', 'never'],
];

export const TokensPage: FC<TokensPageProps> = ({ frame, tokens, made, values, errors, notice }) => (
  <Page frame={frame} title="Tokens" help="access#tokens-for-scripts" lead={LEAD} notice={notice}>
    {made && (
      <Secret
        title={`The token ${made.name}`}
        text={made.token}
        note="It is shown this once: the server keeps only a hash of it."
      />
    )}
    {tokens.length === 0 ? (
      <EmptyState title="No tokens yet">
        <p>Make one for each script, so that each can be taken back by itself.</p>
      </EmptyState>
    ) : (
      <TokensTable frame={frame} tokens={tokens} />
    )}
    <h2>Make a token</h2>
    <form method="post" action="/telemetryui/tokens" class="filters">
      <TextField name="name" label="Name" value={values?.name} error={errors?.name} required />
      <SelectField
        name="days"
        label="Expires after"
        value={values?.days ?? '365'}
        error={errors?.days}
        options={DAYS}
      />
      <fieldset>
        <legend>It may</legend>
        {TOKEN_SCOPES.map(scope => (
          <label>
            <input
              type="checkbox"
              name="scope"
              value={scope}
              checked={(values?.scopes ?? ['records:read']).includes(scope)}
            />{' '}
            {MEANING[scope]} <code>{scope}</code>
          </label>
        ))}
        {errors?.scope && <span class="field-error">{errors.scope}</span>}
      </fieldset>
      <div class="actions">
        <button type="submit" class="primary">
          Make
        </button>
      </div>
    </form>
  </Page>
);

const TokensTable: FC<Pick<TokensPageProps, 'frame' | 'tokens'>> = ({ frame, tokens }) => (
  <Scroll label="Tokens">
    <table>
      <thead>
        <tr>
          <th>Name</th>
          <th>Scopes</th>
          <th>Made by</th>
          <th>Last used</th>
          <th>Expires</th>
          <th>
            <span class="unseen">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {tokens.map(token => (
          <tr>
            <th scope="row">{token.name}</th>
            <td>{token.scopes.join(', ')}</td>
            <td>
              {token.createdBy}, <Time at={token.createdAt} now={frame.now} />
            </td>
            <td class="nowrap">{token.usedAt ? <Time at={token.usedAt} now={frame.now} /> : 'never'}</td>
            <td class="nowrap">
              {token.expired ? 'has expired' : token.expiresAt ? token.expiresAt.toISOString().slice(0, 10) : 'never'}
            </td>
            <td>
              <form method="post" action="/telemetryui/tokens/removals">
                <input type="hidden" name="id" value={String(token.id)} />
                <button type="submit" class="danger" aria-label={`Remove the token ${token.name}`}>
                  Remove
                </button>
              </form>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
);

import type { FC } from 'hono/jsx';
import type { User } from '../../src/access/users.ts';
import { ROLES } from '../../src/roles.ts';
import { Page, type PageFrame } from '../layout.tsx';
import { SelectField, TextField } from '../parts/fields.tsx';
import { type NoticeProps, Scroll, Time } from '../parts/parts.tsx';
import { Secret } from './secret.tsx';

export interface UsersPageProps {
  frame: PageFrame;
  users: User[];
  /** A link that was just made, and for whom. */
  link?: { href: string; name: string; hours: number } | undefined;
  values?: { name?: string | undefined; role?: string | undefined };
  errors?: Record<string, string> | undefined;
  notice?: NoticeProps | undefined;
}

const LEAD =
  'Viewers look. Analysts also comment, hide, edit the never-guilty list and replay the quarantine. ' +
  'Admins also manage accounts and tokens.';

export const UsersPage: FC<UsersPageProps> = ({ frame, users, link, values, errors, notice }) => (
  <Page frame={frame} title="Users" help="access#accounts-and-roles" lead={LEAD} notice={notice}>
    {frame.visitor?.via === 'open' && (
      <p class="notice warning">
        Nobody has to sign in at the moment: access.mode is "open". Accounts matter once it is "accounts".
      </p>
    )}
    {link && (
      <Secret
        title={`Send this link to ${link.name}`}
        text={link.href}
        note={`It lets whoever opens it first choose the password, within ${link.hours} hours. It is shown this once.`}
      />
    )}
    <Scroll label="Users">
      <table>
        <thead>
          <tr>
            <th>Name</th>
            <th>Role</th>
            <th>Signs in with</th>
            <th>Last signed in</th>
            <th>
              <span class="unseen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {users.map(user => (
            <UserRow frame={frame} user={user} />
          ))}
        </tbody>
      </table>
    </Scroll>
    <h2>Add a user</h2>
    <form method="post" action="/telemetryui/users" class="filters">
      <TextField name="name" label="Name" value={values?.name} error={errors?.name} required />
      <SelectField
        name="role"
        label="Role"
        value={values?.role ?? 'viewer'}
        error={errors?.role}
        options={ROLE_OPTIONS}
      />
      <div class="actions">
        <button type="submit" class="primary">
          Add, and make a link
        </button>
      </div>
    </form>
  </Page>
);

const ROLE_OPTIONS = ROLES.map((role): [string, string] => [role, role]);

const UserRow: FC<{ frame: PageFrame; user: User }> = ({ frame, user }) => (
  <tr>
    <th scope="row">{user.name}</th>
    <td>
      <form method="post" action="/telemetryui/users/roles" class="row">
        <input type="hidden" name="id" value={String(user.id)} />
        <select name="role" aria-label={`Role of ${user.name}`}>
          {ROLES.map(role => (
            <option value={role} selected={role === user.role}>
              {role}
            </option>
          ))}
        </select>
        <button type="submit">Set</button>
      </form>
    </td>
    <td>{waysIn(user)}</td>
    <td class="nowrap">
      {user.signedInAt ? <Time at={user.signedInAt} now={frame.now} /> : <span class="soft">never</span>}
    </td>
    <td>
      <div class="row">
        <form method="post" action="/telemetryui/users/links">
          <input type="hidden" name="id" value={String(user.id)} />
          <button type="submit">New password link</button>
        </form>
        <details class="confirm">
          <summary>Remove…</summary>
          <form method="post" action="/telemetryui/users/removals">
            <input type="hidden" name="id" value={String(user.id)} />
            <p>Ends the sessions of {user.name} and takes the account away. What they did stays in the audit.</p>
            <button type="submit" class="danger">
              Remove {user.name}
            </button>
          </form>
        </details>
      </div>
    </td>
  </tr>
);

const waysIn = ({ hasPassword, fromProvider }: User): string =>
  [hasPassword && 'a password', fromProvider && 'the provider'].filter(Boolean).join(', ') || 'a link, not used yet';

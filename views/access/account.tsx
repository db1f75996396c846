import type { FC } from 'hono/jsx';
import type { Session } from '../../src/access/sessions.ts';
import type { Role } from '../../src/roles.ts';
import { Page, type PageFrame } from '../layout.tsx';
import { TextField } from '../parts/fields.tsx';
import { Cut, type NoticeProps, Scroll, Time } from '../parts/parts.tsx';
import { PasswordFields } from './sign-in.tsx';

interface AccountPageProps {
  frame: PageFrame;
  user: { name: string; role: Role; hasPassword: boolean };
  sessions: Session[];
  /** The one that shows this page. */
  currentId: number | undefined;
  rule: string;
  errors?: Record<string, string> | undefined;
  notice?: NoticeProps | undefined;
}

const MAY: Record<Role, string> = {
  viewer: 'You may look at everything.',
  analyst: 'You may look, comment, hide, edit the never-guilty list and replay the quarantine.',
  admin: 'You may do everything, also add and remove accounts and tokens.',
};

export const AccountPage: FC<AccountPageProps> = props => {
  const { frame, user, rule, errors, notice } = props;
  return (
    <Page
      frame={frame}
      title={user.name}
      help="access#sessions-and-passwords"
      lead={`Role: ${user.role}. ${MAY[user.role]}`}
      notice={notice}
    >
      <h2>Where you are signed in</h2>
      <SessionsTable {...props} />
      {user.hasPassword && (
        <>
          <h2>Change the password</h2>
          <form method="post" action="/telemetryui/account/password" class="card">
            <TextField
              name="current"
              label="Current password"
              type="password"
              error={errors?.current}
              autocomplete="current-password"
              required
            />
            <PasswordFields rule={rule} errors={errors} />
            <div class="actions">
              <button type="submit">Change</button>
            </div>
          </form>
        </>
      )}
    </Page>
  );
};

const SessionsTable: FC<AccountPageProps> = ({ frame, sessions, currentId }) => (
  <>
    <Scroll label="Sessions">
      <table>
        <thead>
          <tr>
            <th>Signed in</th>
            <th>Last request</th>
            <th>Address</th>
            <th>Browser</th>
            <th>
              <span class="unseen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {sessions.map(session => (
            <tr>
              <td class="nowrap">
                <Time at={session.createdAt} now={frame.now} />
              </td>
              <td class="nowrap">
                <Time at={session.seenAt} now={frame.now} />
              </td>
              <td>{session.address}</td>
              <td class="rest">
                <Cut text={session.agent ?? ''} class="" />
              </td>
              <td class="nowrap">
                {session.id === currentId ? <span class="soft">this one</span> : <EndForm id={session.id} text="End" />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
    {sessions.length > 1 && <EndForm text="End all others" />}
  </>
);

const EndForm: FC<{ id?: number; text: string }> = ({ id, text }) => (
  <form method="post" action="/telemetryui/account/sessions">
    {id !== undefined && <input type="hidden" name="id" value={String(id)} />}
    <button type="submit">{text}</button>
  </form>
);

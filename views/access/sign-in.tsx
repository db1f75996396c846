import type { FC } from 'hono/jsx';
import { Page, type PageFrame } from '../layout.tsx';
import { TextField } from '../parts/fields.tsx';
import type { NoticeProps } from '../parts/parts.tsx';

interface SignInPageProps {
  frame: PageFrame;
  /** Where to go afterwards. */
  next: string;
  name?: string | undefined;
  notice?: NoticeProps | undefined;
  /** People may sign in at a provider. */
  provider: boolean;
}

export const SignInPage: FC<SignInPageProps> = ({ frame, next, name, notice, provider }) => (
  <Page frame={frame} title="Sign in" help="access" notice={notice}>
    {provider && (
      <p>
        <a class="button primary" href={`/telemetryui/oidc?${new URLSearchParams({ next })}`}>
          Sign in with your organisation
        </a>
      </p>
    )}
    <form method="post" action="/telemetryui/login" class="card" aria-label="Sign in with a password">
      <input type="hidden" name="next" value={next} />
      <TextField name="name" label="Name" value={name} autocomplete="username" required />
      <TextField name="password" label="Password" type="password" autocomplete="current-password" required />
      <div class="actions">
        <button type="submit" class={provider ? undefined : 'primary'}>
          Sign in
        </button>
      </div>
    </form>
    <p class="soft">No account, or the password forgotten? An administrator makes a link that lets you choose one.</p>
  </Page>
);

interface ChoosePasswordPageProps {
  frame: PageFrame;
  /** Whose password it becomes; undefined where the first admin chooses a name as well. */
  user: string | undefined;
  rule: string;
  values?: { name?: string | undefined };
  errors?: Record<string, string> | undefined;
}

export const ChoosePasswordPage: FC<ChoosePasswordPageProps> = ({ frame, user, rule, values, errors }) => (
  <Page
    frame={frame}
    title={user === undefined ? 'Create the first account' : `Choose a password for ${user}`}
    help="access"
    lead={
      user === undefined
        ? 'It becomes an administrator, who may add everyone else.'
        : 'This page works once. You are signed in afterwards; other sessions of yours end.'
    }
  >
    <form method="post" class="card">
      {user === undefined ? (
        <TextField
          name="name"
          label="Name"
          value={values?.name}
          error={errors?.name}
          autocomplete="username"
          required
        />
      ) : (
        <input type="hidden" name="username" value={user} autocomplete="username" />
      )}
      <PasswordFields rule={rule} errors={errors} />
      <div class="actions">
        <button type="submit" class="primary">
          Save and sign in
        </button>
      </div>
    </form>
  </Page>
);

/** A new password, twice. */
export const PasswordFields: FC<{ rule: string; errors?: Record<string, string> | undefined }> = ({ rule, errors }) => (
  <>
    <TextField
      name="password"
      label={`New password (${rule})`}
      type="password"
      error={errors?.password}
      autocomplete="new-password"
      required
    />
    <TextField
      name="repeated"
      label="The same again"
      type="password"
      error={errors?.repeated}
      autocomplete="new-password"
      required
    />
  </>
);

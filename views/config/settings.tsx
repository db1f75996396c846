import type { FC } from 'hono/jsx';
import { Page, type PageFrame } from '../layout.tsx';

export const SettingsPage: FC<{ frame: PageFrame; text: string }> = ({ frame, text }) => (
  <Page
    frame={frame}
    title="Settings"
    help="configure"
    lead="The settings in force. Change them in the configuration file or the environment of the server."
  >
    <pre class="text">{text}</pre>
  </Page>
);

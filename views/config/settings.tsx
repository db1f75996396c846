import type { FC } from 'hono/jsx';
import { Page, type PageFrame } from '../layout.tsx';

export const SettingsPage: FC<{ frame: PageFrame; text: string }> = ({ frame, text }) => (
  <Page
    frame={frame}
    title="Settings"
    help="configure"
    lead="What the server runs with. They are changed in its configuration file, or in its environment."
  >
    <pre class="text">{text}</pre>
  </Page>
);

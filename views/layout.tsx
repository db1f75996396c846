import { html } from 'hono/html';
import type { FC, PropsWithChildren } from 'hono/jsx';
import type { Role } from '../src/roles.ts';
import { pluginPath } from './parts/links.ts';
import { Notice, type NoticeProps } from './parts/parts.tsx';
import { TABS, type TabName } from './parts/tabs.ts';

/** A plugin in the navigation. */
export interface PluginTab {
  name: string;
  title: string;
  /** It could not be loaded. */
  broken: boolean;
}

/** What every page needs from the server. */
export interface PageFrame {
  /** The address of a file in static/, with its hash. */
  asset: (name: string) => string;
  version: string;
  /** Entries in quarantine, for the badge. */
  quarantined: number;
  kept: KeptRecords;
  now: Date;
  /** Who looks at the page; undefined where nobody signed in. */
  visitor?: { via: 'open' | 'session' | 'proxy'; name: string; role: Role } | undefined;
  /** They may change nothing. */
  readonly: boolean;
  plugins: PluginTab[];
}

/** UTC days, as far as retention has removed records. */
interface KeptRecords {
  /** No record of a day before this one is left. */
  from?: string | undefined;
  /** All records of this day and those after it are. */
  wholeFrom?: string | undefined;
}

export interface PageProps {
  frame: PageFrame;
  title: string;
  current?: Current | undefined;
  lead?: string | undefined;
  /** The chapter of the manual about it, `crashes`, or one with a heading, `crashes#the-never-guilty-list`. */
  help?: string | undefined;
  notice?: NoticeProps | undefined;
  /** Loads htmx, for pages that exchange parts of themselves. */
  live?: boolean | undefined;
  /** Loads uPlot, for pages that may have a chart to explore. */
  explore?: boolean | undefined;
  /** Addresses of further stylesheets and scripts. */
  styles?: string[] | undefined;
  scripts?: string[] | undefined;
}

/** The tab that a page belongs to. */
type Current = TabName | `plugins/${string}`;

const STYLES = [
  'tokens.css',
  'base.css',
  'frame.css',
  'controls.css',
  'tables.css',
  'blocks.css',
  'bars.css',
  'crashes.css',
  'matrix.css',
];

const EXPLORE_STYLES = ['uplot.min.css', 'explore.css'];
const EXPLORE_SCRIPTS = ['uplot.min.js', 'explore.js'];

const ADMINISTRATION = [
  ['/telemetryui/users', 'Users'],
  ['/telemetryui/tokens', 'Tokens'],
  ['/telemetryui/audit', 'Audit'],
  ['/telemetryui/settings', 'Settings'],
];

// Errors are not swapped in but handled in app.js; the indicator's stylesheet is ours; Back reloads the page.
const HTMX_CONFIG = JSON.stringify({
  includeIndicatorCSS: false,
  noSwap: [204, 304, '4xx', '5xx'],
  history: 'reload',
});

export const Page: FC<PropsWithChildren<PageProps>> = ({ children, ...props }) => {
  const { frame, title, current, lead, help, notice, live } = props;
  return (
    <>
      {html`<!doctype html>`}
      <html lang="en">
        <Head {...props} />
        <body>
          <a class="skip" href="#main">
            Skip to content
          </a>
          <Header frame={frame} current={current} />
          <main id="main" tabindex={-1}>
            {notice && <Notice {...notice} />}
            {help ? <TitleWithHelp title={title} help={help} /> : <h1>{title}</h1>}
            {lead && <p class="lead">{lead}</p>}
            {children}
          </main>
          {live && <p id="trouble" class="notice error" role="alert" hidden></p>}
          <Footer frame={frame} />
        </body>
      </html>
    </>
  );
};

const TitleWithHelp: FC<{ title: string; help: string }> = ({ title, help }) => (
  <div class="title">
    <h1>{title}</h1>
    <a class="help" href={`/telemetryui/help/${help}`}>
      Help
    </a>
  </div>
);

const Head: FC<PageProps> = ({ frame, title, live, explore, styles = [], scripts = [] }) => (
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>{`${title} · telemetricsd`}</title>
    <link rel="icon" type="image/svg+xml" href={frame.asset('icon.svg')} />
    {STYLES.map(name => (
      <link rel="stylesheet" href={frame.asset(name)} />
    ))}
    {explore && EXPLORE_STYLES.map(name => <link rel="stylesheet" href={frame.asset(name)} />)}
    {styles.map(href => (
      <link rel="stylesheet" href={href} />
    ))}
    {live && <meta name="htmx-config" content={HTMX_CONFIG} />}
    {live && <script src={frame.asset('htmx.min.js')} defer></script>}
    <script src={frame.asset('app.js')} defer></script>
    {explore && EXPLORE_SCRIPTS.map(name => <script src={frame.asset(name)} defer></script>)}
    {scripts.map(src => (
      <script src={src} defer></script>
    ))}
  </head>
);

const Header: FC<{ frame: PageFrame; current: Current | undefined }> = ({ frame, current }) => (
  <header class="top">
    <a class="brand" href="/telemetryui">
      <img src={frame.asset('icon.svg')} alt="" width="20" height="20" />
      telemetricsd
    </a>
    {frame.visitor && <Views frame={frame} current={current} />}
    {frame.visitor && frame.visitor.via !== 'open' && <SignedIn visitor={frame.visitor} />}
  </header>
);

const Views: FC<{ frame: PageFrame; current: Current | undefined }> = ({ frame, current }) => (
  <nav aria-label="Views">
    <ul>
      {TABS.map(tab => (
        <li>
          <a href={tab.path} aria-current={tab.name === current ? 'page' : undefined}>
            {tab.title}
            {tab.name === 'quarantine' && frame.quarantined > 0 && <Badge count={frame.quarantined} />}
          </a>
        </li>
      ))}
      {frame.plugins.map(({ name, title, broken }) => (
        <li>
          <a href={pluginPath(name)} aria-current={current === `plugins/${name}` ? 'page' : undefined}>
            {title}
            {broken && <Broken />}
          </a>
        </li>
      ))}
    </ul>
  </nav>
);

const SignedIn: FC<{ visitor: NonNullable<PageFrame['visitor']> }> = ({ visitor: { via, name } }) => (
  <div class="signed-in">
    <a href="/telemetryui/account" title="Your account">
      {name}
    </a>
    {via === 'session' && (
      <form method="post" action="/telemetryui/logout">
        <button type="submit" class="plain">
          Sign out
        </button>
      </form>
    )}
  </div>
);

const Badge: FC<{ count: number }> = ({ count }) => (
  <span class="badge">
    {count > 999 ? '999+' : count}
    <span class="unseen"> waiting</span>
  </span>
);

const Broken: FC = () => (
  <span class="badge">
    !<span class="unseen"> could not be loaded</span>
  </span>
);

const Footer: FC<{ frame: PageFrame }> = ({ frame: { version, visitor } }) => (
  <footer>
    <span>telemetricsd {version}</span>
    {visitor && <a href="/api/records">Records as JSON</a>}
    {visitor && <a href="/telemetryui/status">Status</a>}
    <a href="/telemetryui/help">Help</a>
    <span>All times in UTC</span>
    {visitor?.role === 'admin' && ADMINISTRATION.map(([href, title]) => <a href={href}>{title}</a>)}
  </footer>
);

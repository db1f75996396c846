import type { FC } from 'hono/jsx';

/** What the page shows, for scripts and spreadsheets. `href` leads to the JSON, with its query. */
export const ExportLinks: FC<{ href: string }> = ({ href }) => (
  <p class="soft exports">
    The same numbers as <a href={href}>JSON</a> or{' '}
    <a href={`${href}${href.includes('?') ? '&' : '?'}format=csv`}>CSV</a>
  </p>
);

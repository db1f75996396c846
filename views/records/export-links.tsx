import type { FC } from 'hono/jsx';

interface ExportLinksProps {
  /** The JSON of the view, with its query. */
  href: string;
  /** The titles of its tables, by the names that the API gives them. */
  tables: { [name: string]: string };
}

/** What the page shows, for scripts as JSON and for spreadsheets, Excel among them, as CSV. */
export const ExportLinks: FC<ExportLinksProps> = ({ href, tables }) => {
  const csv = `${href}${href.includes('?') ? '&' : '?'}format=csv&bom=1`;
  return (
    <nav class="links exports" aria-label="Exports">
      <a href={href}>JSON</a>
      {Object.entries(tables).map(([name, title], n) => (
        <a href={`${csv}${n > 0 ? `&table=${name}` : ''}`}>CSV: {title}</a>
      ))}
    </nav>
  );
};

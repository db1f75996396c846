import type { FC } from 'hono/jsx';

interface ExportLinksProps {
  /** The address of the view's JSON, with its query. */
  href: string;
  /** The titles of the tables, by their names in the API. */
  tables: { [name: string]: string };
}

/** Links to the page's data: JSON for scripts, CSV for spreadsheets, among them Excel. */
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

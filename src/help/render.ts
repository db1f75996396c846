import type { Chapter } from './chapters.ts';

export const HELP = '/telemetryui/help';

export interface Section {
  /** Anchor of its heading; empty above the first heading. */
  id: string;
  /** Empty above the first heading. */
  heading: string;
  /** Paragraphs, rows of tables and lines of code, as plain text. */
  passages: string[];
}

/** Shows HTML in a chapter as text, such as `<TID>`. */
const OPTIONS = { noHtmlBlocks: true, noHtmlSpans: true, headings: { ids: true } };

export function chapterHtml({ text }: Chapter): string {
  return Bun.markdown.html(
    linked(text, (name, anchor) => `${HELP}/${name}${anchor}`),
    OPTIONS,
  );
}

/** A chapter for a terminal with this many columns. Without colours, backticks mark code. */
export function chapterText(
  { title, summary, text }: Chapter,
  { colors, columns }: { colors: boolean; columns: number },
) {
  const unlinked = text.replaceAll(/\[([^\]]*)\]\(#[\w-]+\)/g, '$1');
  const named = linked(unlinked, name => `telemetricsd help ${name}`.replaceAll(' ', '\u00a0'));
  const page = Bun.markdown.ansi(`# ${title}\n\n${summary}\n\n${colors ? named : quoted(named)}`, { colors, columns });
  return page.replaceAll('\u00a0', ' ');
}

/** Puts code within sentences in backticks. */
function quoted(text: string): string {
  return text.replaceAll(/^```.*?^```|``.*?``|`([^`]+)`/gms, (all, code) =>
    code === undefined ? all : `\`\` \`${code}\` \`\``,
  );
}

/** Replaces links to a chapter's file, which work in the sources, by links to where the chapter is read. */
function linked(text: string, address: (name: string, anchor: string) => string): string {
  return text.replaceAll(/\]\(([a-z-]+)\.md(#[\w-]*)?\)/g, (_, name, anchor = '') => `](${address(name, anchor)})`);
}

/** A chapter as plain text by heading, for the search. */
export function sectionsOf({ summary, text }: Chapter): Section[] {
  const sections: Section[] = [{ id: '', heading: '', passages: [summary] }];
  function passage(children: string): string {
    const plain = children.replaceAll(/\s+/g, ' ').trim();
    if (plain) sections.at(-1)!.passages.push(plain);
    return '';
  }
  Bun.markdown.render(
    text,
    {
      heading(heading, { id = '' }) {
        sections.push({ id, heading, passages: [] });
        return '';
      },
      paragraph: passage,
      listItem: passage,
      code: passage,
      th: children => `${children} `,
      td: children => `${children} `,
      tr: passage,
    },
    OPTIONS,
  );
  return sections;
}

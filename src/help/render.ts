import type { Chapter } from './chapters.ts';

export const HELP = '/telemetryui/help';

export interface Section {
  /** Of its heading; empty above the first one. */
  id: string;
  /** Empty above the first one. */
  heading: string;
  /** Paragraphs, rows of tables and lines of code, as plain text. */
  passages: string[];
}

/** HTML in a chapter is text to be shown: `<TID>`, say. */
const OPTIONS = { noHtmlBlocks: true, noHtmlSpans: true, headings: { ids: true } };

export function chapterHtml({ text }: Chapter): string {
  return Bun.markdown.html(
    linked(text, (name, anchor) => `${HELP}/${name}${anchor}`),
    OPTIONS,
  );
}

/** A chapter for a terminal of so many columns. Where there are no colours, backticks show what is code. */
export function chapterText(
  { title, summary, text }: Chapter,
  { colors, columns }: { colors: boolean; columns: number },
) {
  const unlinked = text.replaceAll(/\[([^\]]*)\]\(#[\w-]+\)/g, '$1');
  const named = linked(unlinked, name => `telemetricsd help ${name}`.replaceAll(' ', '\u00a0'));
  const page = Bun.markdown.ansi(`# ${title}\n\n${summary}\n\n${colors ? named : quoted(named)}`, { colors, columns });
  return page.replaceAll('\u00a0', ' ');
}

/** Code within sentences with the backticks around it. */
function quoted(text: string): string {
  return text.replaceAll(/^```.*?^```|``.*?``|`([^`]+)`/gms, (all, code) =>
    code === undefined ? all : `\`\` \`${code}\` \`\``,
  );
}

/** Links that name the file of a chapter, as they work where the sources are looked at, lead to where the chapter is read. */
function linked(text: string, address: (name: string, anchor: string) => string): string {
  return text.replaceAll(/\]\(([a-z-]+)\.md(#[\w-]*)?\)/g, (_, name, anchor = '') => `](${address(name, anchor)})`);
}

/** What is searched: a chapter as plain text, by heading. */
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

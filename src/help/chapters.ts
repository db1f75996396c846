import { embedFolder } from '../embedded.macro.ts' with { type: 'macro' };

/** A chapter of the manual. */
export interface Chapter {
  /** `tls`, as in its address and in `telemetricsd help tls`; never the name of a command. */
  name: string;
  title: string;
  /** What it is about, in one line. */
  summary: string;
  /** Markdown, without title and summary. Links to other chapters are `NAME.md#heading`. */
  text: string;
}

/** In reading order. */
const ORDER = [
  'install',
  'configure',
  'connect',
  'tls',
  'access',
  'records',
  'views',
  'search',
  'crashes',
  'rest',
  'retention',
  'privacy',
  'backup-and-upgrade',
  'move-from-the-old-server',
  'watch',
  'parsers',
  'plugins',
  'develop',
];

const files = embedFolder('src/help', '.md');

export const chapters: Chapter[] = Object.keys(files)
  .map(file => file.replace(/\.md$/, ''))
  .sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b))
  .map(chapterNamed);

/** The first line of a chapter is its title, the first paragraph its summary. */
function chapterNamed(name: string): Chapter {
  const [, title = '', summary = '', text = ''] = /^# (.*?)\n\n(.*?)\n\n(.*)$/s.exec(files[`${name}.md`]!)!;
  return { name, title, summary: summary.replaceAll('\n', ' '), text };
}

export function findChapter(name: string): Chapter | undefined {
  return chapters.find(chapter => chapter.name === name);
}

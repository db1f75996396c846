import { chapters } from './chapters.ts';
import { type Section, sectionsOf } from './render.ts';

export interface ManualMatch {
  chapter: string;
  title: string;
  /** Where it is in the chapter. */
  id: string;
  heading: string;
  /** The passage that has most of the words, in pieces: every other piece is one of them. */
  passage: string[];
}

const MOST_FOUND = 40;
const PASSAGE_CHARACTERS = 240;
const BEFORE_WORD = 80;

let index: { chapter: string; title: string; section: Section; text: string }[] | undefined;

/** The sections of the manual in which all words occur, those first whose headings have them. Reads 100 KB: no index is needed. */
export function searchManual(query: string): ManualMatch[] {
  const words = [...new Set(query.toLowerCase().split(/\s+/).filter(Boolean))];
  if (words.length === 0) return [];
  index ??= chapters.flatMap(chapter =>
    sectionsOf(chapter).map(section => ({
      chapter: chapter.name,
      title: chapter.title,
      section,
      text: [chapter.title, section.heading, ...section.passages].join('\n').toLowerCase(),
    })),
  );
  return index
    .filter(({ text }) => words.every(word => text.includes(word)))
    .map(entry => ({ ...entry, inHeading: wordsIn(`${entry.title} ${entry.section.heading}`, words) }))
    .sort((a, b) => b.inHeading - a.inHeading)
    .slice(0, MOST_FOUND)
    .map(({ chapter, title, section: { id, heading, passages } }) => ({
      chapter,
      title,
      id,
      heading,
      passage: marked(excerpt(best(passages, words), words), words),
    }));
}

function wordsIn(text: string, words: string[]): number {
  const lower = text.toLowerCase();
  return words.filter(word => lower.includes(word)).length;
}

function best(passages: string[], words: string[]): string {
  return passages.reduce(
    (found, passage) => (wordsIn(passage, words) > wordsIn(found, words) ? passage : found),
    passages[0] ?? '',
  );
}

/** The surroundings of the first word. */
function excerpt(passage: string, words: string[]): string {
  const lower = passage.toLowerCase();
  const places = words.map(word => lower.indexOf(word)).filter(place => place >= 0);
  const start = Math.max(0, Math.min(...(places.length > 0 ? places : [0])) - BEFORE_WORD);
  const from = start === 0 ? 0 : passage.indexOf(' ', start) + 1;
  const cut = passage.slice(from, from + PASSAGE_CHARACTERS);
  return `${from > 0 ? '… ' : ''}${cut}${from + PASSAGE_CHARACTERS < passage.length ? ' …' : ''}`;
}

function marked(text: string, words: string[]): string[] {
  const any = words.map(word => RegExp.escape(word)).join('|');
  return text.split(new RegExp(`(${any})`, 'gi'));
}

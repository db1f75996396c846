import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dir, '../..');

/** The texts that users read: README.md and the chapters, by their paths. */
export const TEXTS: Record<string, string> = Object.fromEntries(
  ['README.md', ...filesOf('src/help', '.md')].map(path => [path, readFileSync(join(ROOT, path), 'utf8')]),
);

export const MANUAL = Object.values(TEXTS).join('\n');

export function filesOf(folder: string, ending: string): string[] {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return names.filter(name => name.endsWith(ending)).map(name => `${folder}/${name}`);
}

interface Block {
  path: string;
  language: string;
  text: string;
}

/** The code blocks of a language, in all texts. */
export function blocksOf(language: string): Block[] {
  return Object.entries(TEXTS).flatMap(([path, markdown]) =>
    [...markdown.matchAll(/^```(\w*)\n(.*?)^```/gms)]
      .map(([, found = '', text = '']) => ({ path, language: found, text }))
      .filter(block => block.language === language),
  );
}

/** The ids of the headings of a text. */
export function anchorsOf(markdown: string): string[] {
  const ids: string[] = [];
  const heading = (_: string, { id }: { id?: string }) => {
    ids.push(id!);
    return '';
  };
  Bun.markdown.render(markdown, { heading }, { headings: { ids: true } });
  return ids;
}

/** `telemetricsd …` command lines in blocks and within sentences, as words, without what a shell makes of the rest. */
export function commandLines(): { path: string; words: string[] }[] {
  return Object.entries(TEXTS).flatMap(([path, markdown]) => {
    const blocks = blocksOf('sh').filter(block => block.path === path);
    const lines = blocks.flatMap(({ text }) => text.split('\n'));
    const spans = [...markdown.replaceAll(/^```.*?^```|``.*?``/gms, '').matchAll(/`([^`]+)`/g)].map(([, span = '']) =>
      span.replaceAll('\n', ' '),
    );
    return [...lines, ...spans]
      .flatMap(line => line.split(/&&|\|/))
      .map(line => /(?:^|[\s/-] ?)telemetricsd ([a-z].*)/.exec(line.replace(/\s#.*/, ''))?.[1])
      .filter(words => words !== undefined)
      .map(words => ({
        path,
        words: words
          .replace(/[<>].*/, '')
          .trim()
          .split(/\s+/),
      }));
  });
}

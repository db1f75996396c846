import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { ChapterPage, ManualPage } from '../../views/help/manual.tsx';
import { RequestError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { valid } from '../validation.ts';
import type { Site } from '../web/site.ts';
import { chapters, findChapter } from './chapters.ts';
import { chapterHtml, sectionsOf } from './render.ts';
import { searchManual } from './search.ts';

const question = z.object({ q: z.string().max(200, 'expected at most 200 characters').default('') });

/** The manual: what is in it, a search, and its chapters. Needs no database. */
export function helpPages({ bare, plugins }: Site) {
  const frame = (c: Context) => ({ ...bare(c), plugins: plugins?.tabs() ?? [] });
  return new Hono()
    .get('/', valid('query', question), c => {
      const { q } = c.req.valid('query');
      return c.html(<ManualPage frame={frame(c)} chapters={chapters} question={q} found={searchManual(q)} />);
    })
    .get('/:chapter', c => {
      const name = c.req.param('chapter');
      const chapter = findChapter(name);
      if (!chapter) throw new RequestError(404, `the manual has no chapter "${name}"${hint(name)}`);
      const sections = sectionsOf(chapter).filter(({ id }) => id !== '');
      return c.html(
        <ChapterPage
          frame={frame(c)}
          chapters={chapters}
          chapter={chapter}
          sections={sections}
          html={chapterHtml(chapter)}
        />,
      );
    });
}

function hint(name: string): string {
  const meant = nearest(
    name,
    chapters.map(chapter => chapter.name),
  );
  return meant === undefined ? '' : `; the nearest is ${meant}`;
}

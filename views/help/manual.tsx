import { raw } from 'hono/html';
import type { FC } from 'hono/jsx';
import type { Chapter } from '../../src/help/chapters.ts';
import type { Section } from '../../src/help/render.ts';
import type { ManualMatch } from '../../src/help/search.ts';
import { Page, type PageFrame } from '../layout.tsx';
import { counted, EmptyState } from '../parts/parts.tsx';

interface ManualPageProps {
  frame: PageFrame;
  chapters: Chapter[];
  /** What was searched for; empty: nothing. */
  question: string;
  found: ManualMatch[];
}

export const ManualPage: FC<ManualPageProps> = ({ frame, chapters, question, found }) => (
  <Page frame={frame} title="Help" styles={[frame.asset('help.css')]}>
    <SearchForm question={question} />
    {question.trim() === '' ? <Contents chapters={chapters} /> : <Results question={question} found={found} />}
  </Page>
);

const SearchForm: FC<{ question?: string }> = ({ question }) => (
  <form method="get" action="/telemetryui/help" class="manual-search">
    <input
      type="search"
      name="q"
      value={question}
      maxlength={200}
      aria-label="Search the manual"
      placeholder="Search the manual"
    />
    <button type="submit">Search</button>
  </form>
);

const Contents: FC<{ chapters: Chapter[] }> = ({ chapters }) => (
  <>
    <dl class="chapters">
      {chapters.map(({ name, title, summary }) => (
        <div>
          <dt>
            <a href={`/telemetryui/help/${name}`}>{title}</a>
          </dt>
          <dd>{summary}</dd>
        </div>
      ))}
    </dl>
    <p class="soft">
      In a terminal, <code>telemetricsd help CHAPTER</code> prints a chapter.
    </p>
  </>
);

const Results: FC<Pick<ManualPageProps, 'question' | 'found'>> = ({ question, found }) =>
  found.length === 0 ? (
    <EmptyState title={`Nothing in the manual has all words of “${question.trim()}”`}>
      <p>
        Try fewer words or parts of words, or see <a href="/telemetryui/help">all chapters</a>.
      </p>
    </EmptyState>
  ) : (
    <>
      <p role="status">
        {counted(found.length, 'section')} {found.length === 1 ? 'has' : 'have'} all words.{' '}
        <a href="/telemetryui/help">All chapters</a>
      </p>
      <ol class="found">
        {found.map(({ chapter, title, id, heading, passage }) => (
          <li>
            <a href={`/telemetryui/help/${chapter}${id && `#${id}`}`}>{heading ? `${title}: ${heading}` : title}</a>
            <p>{passage.map((piece, n) => (n % 2 === 1 ? <mark>{piece}</mark> : piece))}</p>
          </li>
        ))}
      </ol>
    </>
  );

interface ChapterPageProps {
  frame: PageFrame;
  chapters: Chapter[];
  chapter: Chapter;
  /** Those that have a heading. */
  sections: Section[];
  /** The chapter's text. Only text of the manual, in which HTML is escaped. */
  html: string;
}

export const ChapterPage: FC<ChapterPageProps> = ({ frame, chapters, chapter, sections, html }) => (
  <Page frame={frame} title={chapter.title} lead={chapter.summary} styles={[frame.asset('help.css')]}>
    <div class="chapter">
      <article>
        {sections.length > 1 && (
          <nav class="links" aria-label="In this chapter">
            {sections.map(({ id, heading }) => (
              <a href={`#${id}`}>{heading}</a>
            ))}
          </nav>
        )}
        {raw(html)}
      </article>
      <nav aria-label="Chapters">
        <SearchForm />
        <ul>
          {chapters.map(({ name, title }) => (
            <li>
              <a href={`/telemetryui/help/${name}`} aria-current={name === chapter.name ? 'page' : undefined}>
                {title}
              </a>
            </li>
          ))}
        </ul>
      </nav>
    </div>
  </Page>
);

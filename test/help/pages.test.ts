import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commands } from '../../src/commands/commands.ts';
import { type Chapter, chapters, findChapter } from '../../src/help/chapters.ts';
import { chapterHtml, sectionsOf } from '../../src/help/render.ts';
import { get, getJson, getPage, post, type TestApp, testApp } from '../app.ts';
import { blocksOf, filesOf, MANUAL, ROOT, TEXTS } from './manual.ts';

let server: TestApp;
beforeAll(async () => {
  server = await testApp();
});
afterAll(() => server.close());

const hrefsOf = (html: string) => [...html.matchAll(/<a [^>]*?href="([^"]*)"/g)].map(([, href]) => href!);

const pages = new Map<string, Promise<{ status: number; html: string }>>();

/** A page once, however many links lead to it. */
function once(path: string) {
  if (!pages.has(path)) pages.set(path, getPage(server.app, path));
  return pages.get(path)!;
}

async function follow(from: string, href: string) {
  const [path = '', anchor] = href.split('#');
  const { status, html } = await once(path || from);
  expect([href, status]).toEqual([href, 200]);
  if (anchor) expect([href, html.includes(` id="${anchor}"`)]).toEqual([href, true]);
}

const HELP = '/telemetryui/help';

test.each([HELP, `${HELP}?q=record`, ...chapters.map(({ name }) => `${HELP}/${name}`)])(
  '%s: each link leads somewhere',
  async path => {
    const { status, html } = await once(path);
    expect(status).toBe(200);
    const [, main = ''] = /<main.*?>(.*)<\/main>/s.exec(html)!;
    const hrefs = hrefsOf(main).filter(href => !href.startsWith('https://'));
    expect(hrefs.length).toBeGreaterThan(10);
    for (const href of hrefs) await follow(path, href);
  },
);

test('every page leads to its chapter', async () => {
  const sources = [...filesOf('views', '.tsx'), 'src/web/error-response.tsx'].filter(path => !path.includes('/help/'));
  const texts = sources.map(path => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));
  const helps = texts.flatMap(({ text }) =>
    [...text.matchAll(/\bhelp(?:=|: )["']([^"']+)["']/g)].map(match => match[1]!),
  );
  expect(helps.length).toBeGreaterThan(30);
  for (const help of new Set(helps)) await follow('', `${HELP}/${help}`);
  const times = (text: string, what: RegExp) => text.match(what)?.length ?? 0;
  const without = texts.filter(({ text }) => times(text, /<Page\b/g) > times(text, /\bhelp=/g));
  expect(without.map(({ path }) => path)).toEqual([]);
});

test('the pages show it beside their title', async () => {
  for (const [path, help] of [
    ['', 'views'],
    ['/crashes', 'crashes'],
    ['/connect', 'connect'],
    ['/records', 'search'],
  ]) {
    const { html } = await getPage(server.app, `/telemetryui${path}`);
    expect(html).toContain(`<a class="help" href="${HELP}/${help}">`);
  }
});

test('a chapter that is not there is answered 404, naming the nearest', async () => {
  const { status, html } = await getPage(server.app, `${HELP}/retension`);
  expect(status).toBe(404);
  expect(html).toContain('The manual has no chapter &quot;retension&quot;; the nearest is retention.');
});

describe('the search', () => {
  const found = async (q: string) => (await getPage(server.app, `${HELP}?${new URLSearchParams({ q })}`)).html;

  test('finds headings, paragraphs, tables and code, whatever the case, and leads to them', async () => {
    for (const [q, href, mark] of [
      ['DISASTER', 'backup-and-upgrade#disaster-recovery', 'Disaster'],
      ['password closed', 'access#sessions-and-passwords', 'closed'],
      ['quarantine.max_bytes', 'configure#all-settings', 'quarantine.max_bytes'],
      ['underscores_in_headers', 'connect#behind-a-proxy', 'underscores_in_headers'],
      ['not_payload', 'rest#records', 'not_payload'],
      ['aliases', 'rest#crashes', 'aliases'],
    ] as const) {
      const html = await found(q);
      expect([q, hrefsOf(html)]).toEqual([q, expect.arrayContaining([`${HELP}/${href}`])]);
      if (q !== 'DISASTER') expect([q, html.includes(`<mark>${mark}</mark>`)]).toEqual([q, true]);
    }
  });

  test('puts sections first whose heading has the words', async () => {
    const [, main = ''] = /<ol class="found">(.*?)<\/ol>/s.exec(await found('limit tid'))!;
    expect(hrefsOf(main)[0]).toBe(`${HELP}/connect#limit-a-tid`);
  });

  test('every heading is found by itself', async () => {
    for (const chapter of chapters)
      for (const { heading, id } of sectionsOf(chapter).filter(section => section.id !== ''))
        expect(hrefsOf(await found(`${chapter.title} ${heading}`))).toContain(`${HELP}/${chapter.name}#${id}`);
  });

  test('says so where there is nothing, and takes any text', async () => {
    for (const q of ['xyzzy', '<b>(', '"\\', '%', '\u0000x', '(.*)+$'])
      expect([q, (await found(q)).includes('No section of the manual has all words')]).toEqual([q, q !== '%']);
    expect(await found('<b>(')).toContain('&lt;b&gt;(');
    expect((await get(server.app, `${HELP}?q=${'x'.repeat(201)}`)).status).toBe(400);
    expect(await found('  ')).toContain('class="chapters"');
  });
});

describe('chapters', () => {
  test('have names that no command has', () => {
    const names = Object.entries(commands).flatMap(([name, entry]) => ['load' in entry ? '' : entry.chapter, name]);
    expect(chapters.filter(({ name }) => Object.hasOwn(commands, name))).toEqual([]);
    expect(chapters.every(({ summary, title }) => summary.length < 140 && title.length < 40)).toBe(true);
    expect(new Set(names).size).toBeGreaterThan(10);
  });

  test('stand in README, in the same order', () => {
    const named = [...TEXTS['README.md']!.matchAll(/^\| \[(.+)\]\(src\/help\/(.+)\.md\)/gm)];
    expect(named.map(([, title, name]) => [name, title])).toEqual(chapters.map(({ name, title }) => [name, title]));
  });

  test('are named by commands where there are such', () => {
    const named = Object.values(commands).flatMap(({ chapter }) => chapter ?? []);
    expect(named.filter(name => !findChapter(name))).toEqual([]);
    expect(named.length).toBeGreaterThan(10);
  });

  test('let no HTML through', () => {
    const text =
      'say <TID>\n\n<script>alert(1)</script>\n\n<b onclick="x">b</b> `<i>` <!-- c -->\n\n<div>\nblock\n</div>\n';
    const html = chapterHtml({ name: 'x', title: 'x', summary: 'x', text } as Chapter);
    expect(html.match(/<(?!\/?(p|code)>)/g)).toBeNull();
    expect(html).toContain('say &lt;TID&gt;');
  });
});

describe('what the texts say of the server', () => {
  test('every route of the API, of machines and of whoever watches', () => {
    const routes = server.app.routes.filter(
      ({ method, path }) =>
        method !== 'ALL' && method !== 'OPTIONS' && /^\/(api|metrics|healthz|readyz|probe)/.test(path),
    );
    const named = (path: string) => path.replace(':tid', 'TID').replace(':file', 'FILE').replaceAll(/:\w+/g, 'ID');
    const missing = routes.filter(
      ({ method, path }) => !TEXTS['src/help/rest.md']!.includes(`\`${method} ${named(path)}\``),
    );
    expect(missing.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
    expect(routes.length).toBeGreaterThan(20);
    for (const path of ['/v2/collector', '/v3/collector'])
      expect(TEXTS['src/help/records.md']).toContain(`\`${path}\``);
  });

  test('curl lines ask for what there is', async () => {
    const addresses = [...MANUAL.matchAll(/^curl .*?(http:\/\/localhost:808\d)(\/[^'\s]*)/gm)];
    expect(addresses.length).toBeGreaterThan(1);
    for (const [, , path = ''] of addresses) expect([path, (await get(server.app, path)).status]).toEqual([path, 200]);
  });

  test('the record has the fields of a record', async () => {
    const [example] = blocksOf('json').filter(({ path }) => path.endsWith('rest.md'));
    const { json } = await post(server.app);
    const { json: found } = await getJson(server.app, `/api/records/${json.id}`);
    expect(Object.keys(found)).toEqual(expect.arrayContaining(Object.keys(JSON.parse(example!.text))));
  });
});

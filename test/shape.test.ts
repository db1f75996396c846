import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { Glob } from 'bun';

const ROOT = resolve(import.meta.dir, '..');
/** A file of so many lines has several subjects, unless there is a reason. */
const MOST_LINES = 300;
const LONG: Record<string, string> = {
  'src/config/settings.ts': 'every setting with its documentation, one after the other',
  'src/crashes/demangle/rust-v0.ts': 'one grammar, in the order of its specification',
  'views/overview/overview.tsx': 'one page',
  'src/records/search.ts': 'one search, with the ways to find the records of a day',
};
/** Values that views may import from src: what says when, and what roles there are. */
const GROUND_OF_VIEWS = /^src\/(time\/|roles\.ts$)/;

interface Import {
  from: string;
  to: string;
  /** More than a type. */
  isValue: boolean;
}

const files = [...new Glob('{src,views}/**/*.{ts,tsx}').scanSync(ROOT)].filter(file => !file.endsWith('.d.ts'));
const imports = files.flatMap(importsOf);

function importsOf(from: string): Import[] {
  const code = readFileSync(join(ROOT, from), 'utf8');
  const statements = code.matchAll(/^(?:import|export)\s+(type\s)?([^;'"]*?)\s*from\s+'(\.[^']+)'/gm);
  return [...statements].map(([, type, names = '', path = '']) => ({
    from,
    to: relative(ROOT, resolve(ROOT, dirname(from), path)),
    isValue:
      !type &&
      !names
        .replaceAll(/[{}\s]/g, ' ')
        .split(',')
        .every(name => /^\s*(type\s.*)?$/.test(name)),
  }));
}

/** `src/records`, or the file itself where it lies directly in src; all of views is one room. */
function roomOf(file: string): string {
  const [top, folder, inside] = file.split('/');
  return top === 'views' ? 'views' : inside === undefined ? file : `${top}/${folder}`;
}

/** The nodes that can be reached from themselves (Tarjan's strongly connected components, of more than one node). */
function loops(edges: { from: string; to: string }[]): string[][] {
  const out = Map.groupBy(edges, ({ from }) => from);
  const place = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  function visit(node: string) {
    place.set(node, place.size);
    lowest.set(node, place.get(node)!);
    stack.push(node);
    for (const { to } of out.get(node) ?? []) {
      if (!place.has(to)) visit(to);
      if (stack.includes(to)) lowest.set(node, Math.min(lowest.get(node)!, lowest.get(to)!));
    }
    if (lowest.get(node) !== place.get(node)) return;
    const component = stack.splice(stack.indexOf(node));
    if (component.length > 1) found.push(component.toSorted());
  }
  for (const node of out.keys()) if (!place.has(node)) visit(node);
  return found;
}

test('imports are found', () => {
  expect(imports.length).toBeGreaterThan(1_000);
  expect(imports.filter(({ to }) => !files.includes(to) && !/\.d\.ts$|^(dist|package\.json)/.test(to))).toEqual([]);
});

test('rooms do not need each other in a loop', () => {
  const between = imports
    .filter(({ isValue }) => isValue)
    .map(({ from, to }) => ({ from: roomOf(from), to: roomOf(to) }))
    .filter(({ from, to }) => from !== to);
  expect(loops(between)).toEqual([]);
});

test('files do not need each other in a circle, not even for types', () => {
  expect(loops(imports)).toEqual([]);
});

test('views import types only, but for what they are made of', () => {
  const values = imports.filter(
    ({ from, to, isValue }) => isValue && from.startsWith('views/') && to.startsWith('src/'),
  );
  expect(values.filter(({ to }) => !GROUND_OF_VIEWS.test(to))).toEqual([]);
});

test('no file is long without a reason', () => {
  const long = files.filter(file => readFileSync(join(ROOT, file), 'utf8').split('\n').length > MOST_LINES + 1);
  expect(long.toSorted()).toEqual(Object.keys(LONG).toSorted());
});

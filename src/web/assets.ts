import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { embedFile, embedFolder } from '../embedded.macro.ts' with { type: 'macro' };

interface Asset {
  text: string;
  type: string;
  /** The file may be cached for ever under this address. */
  href: string;
}

const TYPES: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml; charset=utf-8',
};

const embeddedStatic = embedFolder('static');
const libraries: Record<string, string> = {
  'htmx.min.js': embedFile('node_modules/htmx.org/dist/htmx.min.js'),
  'uplot.min.js': embedFile('node_modules/uplot/dist/uPlot.iife.min.js'),
  'uplot.min.css': embedFile('node_modules/uplot/dist/uPlot.min.css'),
};

/**
 * The files of static/ and the libraries that pages load, by name; while developing, static/ is read anew each time.
 */
export function loadAssets(): { find(name: string): Asset | undefined; href(name: string): string } {
  const fixed = new Map(
    Object.entries({ ...embeddedStatic, ...libraries }).map(entry => [entry[0], toAsset(...entry)]),
  );
  function find(name: string) {
    if (Bun.isStandaloneExecutable || Object.hasOwn(libraries, name)) return fixed.get(name);
    const folder = join(import.meta.dir, '../../static');
    return readdirSync(folder).includes(name) ? toAsset(name, readFileSync(join(folder, name), 'utf8')) : undefined;
  }
  return {
    find,
    href(name) {
      const asset = find(name);
      if (!asset) throw new Error(`there is no static file ${name}`);
      return asset.href;
    },
  };
}

function toAsset(name: string, text: string): Asset {
  const type = TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'text/plain; charset=utf-8';
  return { text, type, href: `/static/${name}?v=${Bun.hash(text).toString(36)}` };
}

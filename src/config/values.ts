import { resolve } from 'node:path';
import { z } from 'zod';
import { splitList } from './list.ts';

const UNITS = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 } as const;

/** A whole number, or its text. */
export function integer(min: number, max: number) {
  return z.preprocess(
    raw => (typeof raw === 'string' && /^\s*-?[0-9]+\s*$/.test(raw) ? Number(raw) : raw),
    z.int().min(min).max(max),
  );
}

/** true or false, or its text. */
export const onOrOff = z.preprocess(raw => (raw === 'true' ? true : raw === 'false' ? false : raw), z.boolean());

/** A number of bytes, or text with a unit: `300 KB`. */
export function bytes(min: number, max: number) {
  return z.preprocess(parseBytes, z.int().min(min).max(max));
}

function parseBytes(raw: unknown): unknown {
  const [, digits, unit = 'B'] = (typeof raw === 'string' && /^\s*([0-9]+)\s*([KMG]?B)?\s*$/i.exec(raw)) || [];
  return digits === undefined ? raw : Number(digits) * UNITS[unit.toUpperCase() as keyof typeof UNITS];
}

/** A number of bytes, or a part of a file system. */
export type Size = number | { percent: number };

/** Like `bytes`, and also `5 %`. */
export function bytesOrPercent(min: number, max: number) {
  return z.preprocess(
    raw => parsePercent(raw) ?? parseBytes(raw),
    z.union([z.int().min(min).max(max), z.object({ percent: z.number() })]),
  );
}

function parsePercent(raw: unknown): Size | undefined {
  const [, percent] = (typeof raw === 'string' && /^\s*([0-9]+(?:\.[0-9]+)?)\s*%\s*$/.exec(raw)) || [];
  return percent === undefined || Number(percent) > 100 ? undefined : { percent: Number(percent) };
}

export function sizeToToml(size: Size | undefined): string | number | undefined {
  return typeof size === 'object' ? `${size.percent} %` : size === undefined ? undefined : bytesToToml(size);
}

/** `307200` as `300 KB`, with the largest unit that leaves no remainder. */
export function bytesToToml(value: number): string | number {
  const unit = (['GB', 'MB', 'KB'] as const).find(name => value % UNITS[name] === 0);
  return unit ? `${value / UNITS[unit]} ${unit}` : value;
}

/** A directory; a relative path starts at the working directory. */
export const directory = z
  .string()
  .refine(path => path.trim() !== '' && !path.includes('\0'))
  .transform(path => resolve(path));

/** A file. A value with several lines is probably the file's content, so it is refused. */
export const file = directory.refine(path => !path.includes('\n'));

/** The http(s) URL of a site's root, without the closing slash. */
export const siteUrl = z
  .string()
  .trim()
  .refine(isSiteUrl)
  .transform(text => new URL(text).origin);

function isSiteUrl(text: string): boolean {
  const url = URL.parse(text);
  return !!url && /^https?:\/\/[^/]/i.test(text) && !/[?#]/.test(text) && url.pathname === '/' && !/@/.test(text);
}

/** A connection URL of PostgreSQL, which may name several hosts. */
export const postgresUrl = z
  .string()
  .trim()
  .refine(text => /^postgres(ql)?:\/\//.test(text) && URL.canParse(firstHostOnly(text)));

function firstHostOnly(url: string): string {
  return url.replace(/^([^:]+:\/\/(?:[^/?]*@)?[^,/?@]*),[^/?@]*/, '$1');
}

const PATTERN = /^[^/*\p{C}]+$/u;
const PATTERN_FORM = 'three parts with "/" between them, each a text or "*", such as "*/kernel/panic"';

export const classificationPattern = z
  .string({ error: PATTERN_FORM })
  .trim()
  .refine(isPattern, { error: PATTERN_FORM });

/** Classifications with `*` for any part, as a list or as text with commas. */
export const classificationPatterns = z.preprocess(splitList, z.array(classificationPattern));

function isPattern(text: string): boolean {
  const parts = text.split('/');
  return parts.length === 3 && parts.every(part => part === '*' || (PATTERN.test(part) && part.trim() === part));
}

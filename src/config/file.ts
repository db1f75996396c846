import { readFileSync } from 'node:fs';
import { nearest } from '../nearest.ts';
import type { Problem } from './problem.ts';
import { type DeclaredSetting, declaredSettings, settings } from './settings.ts';

export const DEFAULT_FILE = '/etc/telemetricsd/config.toml';

/** A value before it is validated. */
export interface GivenValue {
  declared: DeclaredSetting;
  from: string;
  raw: unknown;
}

/** The settings in a TOML file. `file` undefined means the default file, which need not exist. */
export function readConfigFile(file: string | undefined, problems: Problem[]): GivenValue[] {
  const from = file ?? DEFAULT_FILE;
  const text = readText(from, file === undefined, problems);
  const document = text === undefined ? {} : parseToml(text, from, problems);
  return Object.entries(document).flatMap(([section, members]) => readSection(section, members, from, problems));
}

function readText(file: string, mayBeMissing: boolean, problems: Problem[]): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (mayBeMissing && (code === 'ENOENT' || code === 'ENOTDIR')) return undefined;
    const reason = UNREADABLE[code ?? ''] ?? (error as Error).message;
    problems.push({ key: file, from: fileSource(mayBeMissing), value: undefined, reason, allowed: 'a TOML file' });
    return undefined;
  }
}

const UNREADABLE: Record<string, string> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'this is a directory',
  EACCES: 'this user may not read it',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'the file is not UTF-8',
};

function fileSource(isDefault: boolean): string {
  return isDefault ? 'the default place' : '--config';
}

function parseToml(text: string, file: string, problems: Problem[]): object {
  try {
    return Bun.TOML.parse(text);
  } catch (error) {
    const reason = withoutValue((error as Error).message.replace(/^TOML Parse error: /, ''));
    const from = `${file}, line ${faultyLine(text)}`;
    problems.push({ key: 'syntax', from, value: undefined, reason, allowed: 'TOML (https://toml.io)' });
    return {};
  }
}

/** Bun's message repeats an unquoted string, which may be a password. */
function withoutValue(message: string): string {
  return message.startsWith('Strings must be quoted') ? 'strings must be quoted' : message;
}

/** Bun does not say where an error is: finds the line after the longest valid beginning of the text. */
function faultyLine(text: string): number {
  const lines = text.split('\n');
  for (let valid = lines.length - 1; valid > 0; valid--) {
    if (isToml(lines.slice(0, valid).join('\n'))) return valid + 1;
  }
  return 1;
}

function isToml(text: string): boolean {
  try {
    Bun.TOML.parse(text);
    return true;
  } catch {
    return false;
  }
}

function readSection(section: string, members: unknown, from: string, problems: Problem[]): GivenValue[] {
  if (!Object.hasOwn(settings, section)) {
    problems.push({ key: section, from, value: undefined, ...unknownSection(section) });
    return [];
  }
  if (!isTable(members)) {
    const reason = 'this is the name of a section';
    problems.push({ key: section, from, value: undefined, reason, allowed: `[${section}] on a line of its own` });
    return [];
  }
  return Object.entries(members).flatMap(([name, raw]) => {
    const key = `${section}.${name}`;
    const declared = declaredSettings.find(candidate => candidate.key === key);
    if (declared) return [{ declared, from, raw }];
    problems.push({ key, from, value: undefined, ...unknownKey(section, name) });
    return [];
  });
}

function isTable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function unknownSection(section: string) {
  const sections = Object.keys(settings);
  const meant = nearest(section, sections);
  const reason = 'there is no such section';
  if (meant) return { reason, allowed: `[${meant}], the nearest one` };
  const setting = nearestByName(section, declaredSettings);
  if (setting) return { reason: 'a setting stands in its section', allowed: `${setting.key}, the nearest one` };
  return { reason, allowed: `one of ${sections.join(', ')}` };
}

function unknownKey(section: string, name: string) {
  const own = declaredSettings.filter(declared => declared.section === section);
  const meant = nearestByName(name, own) ?? nearestByName(name, declaredSettings);
  const allowed = meant ? `${meant.key}, the nearest one` : `one of ${own.map(one => one.name).join(', ')}`;
  return { reason: 'there is no such setting', allowed };
}

function nearestByName(name: string, among: DeclaredSetting[]): DeclaredSetting | undefined {
  const meant = nearest(
    name,
    among.map(declared => declared.name),
  );
  return among.find(declared => declared.name === meant);
}

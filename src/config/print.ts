import type { LoadedConfig } from './loaded.ts';
import { maskPasswords } from './mask.ts';
import { type DeclaredSetting, declaredSettings } from './settings.ts';

const COMMENT_WIDTH = 100;
const LINE_WIDTH = 100;

const HEADER =
  'The configuration that telemetricsd would run with. An environment variable TELEMETRICSD_SECTION_KEY, such as ' +
  'TELEMETRICSD_HTTP_LISTEN, overrides the line of this file.';

/** The effective configuration as a commented TOML file that can be loaded again. Secrets are masked. */
export function printConfig(loaded: LoadedConfig): string {
  const sections = Map.groupBy(declaredSettings, declared => declared.section);
  const texts = [...sections].map(
    ([section, members]) => `[${section}]\n${members.map(declared => printSetting(declared, loaded)).join('\n')}`,
  );
  return `${comment(HEADER)}\n${texts.join('\n')}`;
}

function printSetting({ key, section, name, setting }: DeclaredSetting, { config, origin }: LoadedConfig): string {
  const value = (config as Record<string, Record<string, unknown>>)[section]![name];
  return [
    comment(setting.doc),
    comment(`Allowed: ${setting.allowed}.`),
    setting.example ? comment(`Example: ${name} = ${setting.example}`) : '',
    comment(`from: ${origin(key)}${setting.secret && value !== undefined ? ' (secrets are masked here)' : ''}`),
    value === undefined ? `# ${name} =\n` : assignment(name, setting.toToml?.(value) ?? value, setting.secret),
  ].join('');
}

function assignment(name: string, value: unknown, secret: true | undefined): string {
  const shown = secret ? masked(value) : value;
  const line = `${name} = ${toml(shown)}`;
  if (line.length <= LINE_WIDTH || !Array.isArray(shown)) return `${line}\n`;
  return `${name} = [\n${shown.map(item => `  ${toml(item)},\n`).join('')}]\n`;
}

/**
 * Masks everything after the host of a web address, a program's arguments, the password of another URL, or all of any
 * other text.
 */
function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((part, place) => (place === 0 ? part : '***'));
  if (typeof value !== 'string') return value;
  if (/^https?:/i.test(value)) return `${new URL(value).origin}/***`;
  return value.includes('://') ? maskPasswords(value) : '***';
}

function toml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toml).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).map(([key, member]) => `${tomlKey(key)} = ${toml(member)}`);
    return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
  }
  // JSON's escapes are also TOML's, but JSON does not escape DEL.
  return typeof value === 'string' ? JSON.stringify(value).replaceAll('\x7f', '\\u007F') : String(value);
}

function tomlKey(key: string): string {
  return /^[\w-]+$/.test(key) ? key : toml(key);
}

function comment(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/[\s\p{Cc}]+/u)) {
    if (line && line.length + word.length >= COMMENT_WIDTH) {
      lines.push(line);
      line = '';
    }
    line = line ? `${line} ${word}` : word;
  }
  return [...lines, line].map(one => `# ${one}\n`).join('');
}

import type { Check } from '../status/check.ts';

/** A line for each check, with its remedy below. */
export function checksText(checks: Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const indent = ' '.repeat('warning'.length + width + 4);
  const lines = checks.flatMap(({ name, level, text, reason, remedy }) => [
    `${level.padEnd('warning'.length)}  ${name.padEnd(width)}  ${indented(text, indent)}`,
    ...[reason, remedy].filter(more => more !== undefined).map(more => indent + indented(more, indent)),
  ]);
  return `${lines.join('\n')}\n`;
}

function indented(text: string, indent: string): string {
  return text.trimEnd().replaceAll(/\n+/g, `\n${indent}`);
}

// Includes direction controls: they reorder the text that follows, so a payload could look like something else.
const UNSEEN = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** The text with every control character except newline and tab as a visible sign. */
export const visible = (text: string): string => text.replace(UNSEEN, sign);

const sign = (char: string): string => {
  if (char === '\n' || char === '\t') return char;
  const code = char.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return '␡';
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
};

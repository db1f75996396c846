/**
 * Removes `characters` at both ends in linear time; a regular expression for the end would start anew at each space.
 */
export function trimmed(text: string, characters: string): string {
  let begin = 0;
  let end = text.length;
  while (begin < end && characters.includes(text[begin]!)) begin++;
  while (end > begin && characters.includes(text[end - 1]!)) end--;
  return begin === 0 && end === text.length ? text : text.slice(begin, end);
}

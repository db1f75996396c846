/** Without the `characters` around it, in linear time: a pattern for the end of a text begins anew at each of its spaces. */
export function trimmed(text: string, characters: string): string {
  let begin = 0;
  let end = text.length;
  while (begin < end && characters.includes(text[begin]!)) begin++;
  while (end > begin && characters.includes(text[end - 1]!)) end--;
  return begin === 0 && end === text.length ? text : text.slice(begin, end);
}

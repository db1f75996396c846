/** `text` with private keys and the password of every URL in it replaced by `***`, also where the URL is not a valid one. */
export function maskPasswords(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:/?#@]*:).*@/gi, '$1***@')
    .replace(/(PRIVATE KEY-----).*/s, '$1***')
    .replace(/([?&][a-z_]*password=)[^&#]*/gi, '$1***');
}

/** Replaces private keys and the passwords of URLs (even invalid ones) in a text with `***`. */
export function maskPasswords(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:/?#@]*:).*@/gi, '$1***@')
    .replace(/(PRIVATE KEY-----).*/s, '$1***')
    .replace(/([?&][a-z_]*password=)[^&#]*/gi, '$1***');
}

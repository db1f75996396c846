import type { Handler } from 'hono';
import { isHttps, servesPages } from '../config/listener.ts';
import type { Config } from '../config/settings.ts';

/**
 * Redirects to the same address under https://: at http.public_url if it is set, or else at the port that serves pages.
 */
export function redirectToHttps({ http }: Config): Handler {
  const port = http.listen.filter(isHttps).find(servesPages)!.port;
  return c => {
    const target = new URL(c.req.url);
    const base = http.public_url?.startsWith('https:') ? http.public_url : `https://${target.hostname}:${port}`;
    return c.redirect(new URL(base).origin + target.pathname + target.search, 308);
  };
}

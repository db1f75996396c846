import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { TokensPage, type TokensPageProps } from '../../views/access/tokens.tsx';
import { actorOf, recordAudit } from '../audit/audit.ts';
import { RequestError } from '../errors.ts';
import { TOKEN_SCOPES } from '../roles.ts';
import { accessIdParam, checkForm, formListsOf, formOf, integerParam, parseOrRefuse } from '../validation.ts';
import type { Site } from '../web/site.ts';
import { addToken, listTokens, removeToken } from './tokens.ts';
import { userName } from './users.ts';

const LONGEST_DAYS = 3650;

const tokenScopes = z.array(z.enum(TOKEN_SCOPES)).min(1, 'expected at least one');
const addition = z.object({ name: userName, days: integerParam(1, LONGEST_DAYS), scope: tokenScopes });

/** Tokens of scripts: which there are, making, removing. */
export function tokenPages({ sql, frame }: Site) {
  return new Hono()
    .get('/', c => page(c, {}))
    .post('/', async c => {
      const lists = await formListsOf(c);
      const raw = { name: lists.name?.at(-1) ?? '', days: lists.days?.at(-1) ?? '', scope: lists.scope ?? [] };
      const values = { ...raw, scopes: raw.scope };
      const { data, errors } = checkForm(addition, raw);
      if (errors) return page(c, { values, errors }, 400);
      const { name, days, scope } = data;
      const token = await sql.begin(async tx => {
        const made = await addToken(tx, { name, scopes: scope, days, createdBy: c.get('visitor')!.name });
        const after = { scopes: scope, days: days ?? null };
        if (made) await recordAudit(tx, actorOf(c), { action: 'made a token', subject: `token ${name}`, after });
        return made;
      });
      if (token === undefined) return page(c, { values, errors: { name: 'this name is taken' } }, 400);
      return page(c, { made: { name, token } });
    })
    .post('/removals', async c => {
      const { id } = parseOrRefuse(z.object({ id: accessIdParam }), await formOf(c));
      await sql.begin(async tx => {
        const token = id === undefined ? undefined : await removeToken(tx, { id });
        if (!token) throw new RequestError(404, 'there is no such token, or no longer');
        const before = { scopes: token.scopes };
        await recordAudit(tx, actorOf(c), { action: 'removed a token', subject: `token ${token.name}`, before });
      });
      return c.redirect('/telemetryui/tokens', 303);
    });

  async function page(c: Context, shown: Omit<TokensPageProps, 'frame' | 'tokens'>, status: 200 | 400 = 200) {
    return c.html(<TokensPage frame={await frame(c)} tokens={[...(await listTokens(sql))]} {...shown} />, status);
  }
}

import { z } from 'zod';
import { addToken, listTokens, removeToken } from '../access/tokens.ts';
import { NAME_RULE, userName } from '../access/users.ts';
import { recordAudit, shellActor } from '../audit/audit.ts';
import { splitList } from '../config/list.ts';
import { OperatorError } from '../errors.ts';
import { TOKEN_SCOPES } from '../roles.ts';
import { withDatabase } from '../with-database.ts';
import { configOption, defineCommand, EXIT_CODES, integerOption, type Option, print } from './command.ts';

const scopeOption: Option<(typeof TOKEN_SCOPES)[number][]> = {
  type: 'string',
  placeholder: 'SCOPES',
  description: `what it allows: ${TOKEN_SCOPES.join(', ')} (default ${TOKEN_SCOPES[0]})`,
  schema: z.preprocess(
    raw => (raw === undefined ? [TOKEN_SCOPES[0]] : splitList(raw)),
    z.array(z.enum(TOKEN_SCOPES)).min(1),
  ) as unknown as z.ZodType<(typeof TOKEN_SCOPES)[number][]>,
  allowed: `one or several of ${TOKEN_SCOPES.join(', ')}`,
};

export const tokenAdd = defineCommand({
  options: {
    config: configOption,
    scope: scopeOption,
    days: integerOption({ description: 'how many days it is good for; 0: for ever', default: 365, min: 0, max: 3650 }),
  },
  argument: 'NAME',
  argumentNeeded: true,
  help: `Makes a token for a script and prints it, this once: the server keeps only a hash of it. The script sends it with
each request in the header "Authorization: Bearer TOKEN".

${EXIT_CODES}

Examples:
  telemetricsd token add nightly-report --scope records:read
  telemetricsd token add prometheus --scope metrics:read --days 0`,

  async run({ options, argument }) {
    const name = userName.safeParse(argument);
    if (!name.success) throw new OperatorError(`"${argument}" can't be the name of a token`, `Choose ${NAME_RULE}.`);
    const { scope: scopes, days } = options;
    const actor = shellActor();
    const token = await withDatabase('token', { ...options, quiet: true }, ({ sql }) =>
      sql.begin(async tx => {
        const made = await addToken(tx, { name: name.data, scopes, days: days || undefined, createdBy: actor.who });
        if (made === undefined) throw new OperatorError(`there is a token ${argument} already`);
        const after = { scopes, days: days || null };
        await recordAudit(tx, actor, { action: 'made a token', subject: `token ${name.data}`, after });
        return made;
      }),
    );
    await print(`${token}\n`);
    return 0;
  },
});

export const tokenList = defineCommand({
  options: { config: configOption },
  help: `Lists the tokens: name, scopes, last use, end.

${EXIT_CODES}`,

  async run({ options }) {
    const tokens = await withDatabase('token', { ...options, quiet: true }, ({ sql }) => listTokens(sql));
    const width = Math.max(4, ...tokens.map(({ name }) => name.length));
    const day = (date: Date | null) => date?.toISOString().slice(0, 10) ?? 'never';
    const lines = tokens.map(
      ({ name, scopes, usedAt, expiresAt }) =>
        `${name.padEnd(width)}  ${day(usedAt).padEnd(10)}  ${day(expiresAt).padEnd(10)}  ${scopes.join(', ')}`,
    );
    const heading = `${'name'.padEnd(width)}  last used   ends        scopes`;
    await print(tokens.length === 0 ? 'There are no tokens.\n' : `${[heading, ...lines].join('\n')}\n`);
    return 0;
  },
});

export const tokenRemove = defineCommand({
  options: { config: configOption },
  argument: 'NAME',
  argumentNeeded: true,
  help: `Removes a token. It stops working at once.

${EXIT_CODES}`,

  async run({ options, argument }) {
    await withDatabase('token', { ...options, quiet: true }, ({ sql }) =>
      sql.begin(async tx => {
        const token = await removeToken(tx, { name: argument! });
        if (!token) throw new OperatorError(`there is no token ${argument}`, '"telemetricsd token list" lists them.');
        const before = { scopes: token.scopes };
        await recordAudit(tx, shellActor(), { action: 'removed a token', subject: `token ${token.name}`, before });
      }),
    );
    await print(`Removed ${argument}.\n`);
    return 0;
  },
});

import { z } from 'zod';
import { siteOf } from '../access/command.ts';
import { LINK_HOURS, makeLink } from '../access/links.ts';
import { hashPassword, newPassword, PASSWORD_RULE } from '../access/passwords.ts';
import {
  addUser,
  findUser,
  isLastAdmin,
  listUsers,
  NAME_RULE,
  removeUser,
  setPassword,
  setRole,
  type User,
  userName,
} from '../access/users.ts';
import { recordAudit, shellActor } from '../audit/audit.ts';
import type { Config } from '../config/settings.ts';
import type { Queryable } from '../db/connect.ts';
import { OperatorError } from '../errors.ts';
import { ROLES, type Role } from '../roles.ts';
import { withDatabase } from '../with-database.ts';
import { configOption, defineCommand, EXIT_CODES, flag, type Option, print } from './command.ts';

const roleOption = (otherwise: Role | undefined): Option<Role | undefined> => ({
  type: 'string',
  placeholder: 'ROLE',
  description: `${ROLES.join(', ')}${otherwise ? ` (default ${otherwise})` : ''}`,
  schema: z.enum(ROLES).optional(),
  allowed: ROLES.join(', '),
});

const passwordStdin = flag('read the password from standard input instead of making a link');

export const userAdd = defineCommand({
  options: { config: configOption, role: roleOption('viewer'), 'password-stdin': passwordStdin },
  argument: 'NAME',
  argumentNeeded: true,
  help: `Adds an account and prints a link that lets its owner choose a password, within ${LINK_HOURS} hours, once.
Viewers see everything; analysts also comment, hide, edit the never-guilty list and replay the quarantine; admins also
manage accounts and tokens. It may run beside a running server.

${EXIT_CODES}

Examples:
  telemetricsd user add ann --role admin
  telemetricsd user add bob --role analyst --password-stdin < password`,

  async run({ options, argument }) {
    const name = userName.safeParse(argument);
    if (!name.success) throw new OperatorError(`"${argument}" can't be the name of an account`, `Choose ${NAME_RULE}.`);
    const hash = options['password-stdin'] ? await readPassword() : undefined;
    const role = options.role ?? 'viewer';
    const text = await withDatabase('user', { ...options, quiet: true }, ({ sql, config }) =>
      sql.begin(async tx => {
        const user = await addUser(tx, name.data, role);
        if (!user) throw new OperatorError(`there is an account ${argument} already`);
        await recordAudit(tx, shellActor(), { action: 'added a user', subject: `user ${user.name}`, after: { role } });
        if (hash === undefined) return await linkText(tx, config, user);
        await setPassword(tx, user.id, hash);
        return `Added ${user.name} (${role}).\n`;
      }),
    );
    await print(text);
    return 0;
  },
});

export const userList = defineCommand({
  options: { config: configOption },
  help: `Lists the accounts: name, role, when its owner last signed in.

${EXIT_CODES}`,

  async run({ options }) {
    const users = await withDatabase('user', { ...options, quiet: true }, ({ sql }) => listUsers(sql));
    const width = Math.max(4, ...users.map(({ name }) => name.length));
    const lines = users.map(
      ({ name, role, signedInAt }) =>
        `${name.padEnd(width)}  ${role.padEnd(7)}  ${signedInAt ? `${signedInAt.toISOString().slice(0, 16)}Z` : 'never'}`,
    );
    const heading = `${'name'.padEnd(width)}  role     last signed in`;
    await print(users.length === 0 ? 'There are no accounts.\n' : `${[heading, ...lines].join('\n')}\n`);
    return 0;
  },
});

export const userRole = defineCommand({
  options: { config: configOption, role: roleOption(undefined) },
  argument: 'NAME',
  argumentNeeded: true,
  help: `Gives an account another role, from its next request on.

${EXIT_CODES}

Example:
  telemetricsd user role bob --role admin`,

  async run({ options, argument }) {
    const { role } = options;
    if (role === undefined) throw new OperatorError('which role?', `Add --role with one of ${ROLES.join(', ')}.`);
    await withDatabase('user', { ...options, quiet: true }, ({ sql }) =>
      sql.begin(async tx => {
        const user = await userOf(tx, argument!);
        if (role !== 'admin') await assertNotLastAdmin(tx, user);
        await setRole(tx, user.id, role);
        const [before, after] = [{ role: user.role }, { role }];
        await recordAudit(tx, shellActor(), { action: 'set the role', subject: `user ${user.name}`, before, after });
      }),
    );
    await print(`${argument} is ${role} now.\n`);
    return 0;
  },
});

export const userPassword = defineCommand({
  options: { config: configOption, 'password-stdin': passwordStdin },
  argument: 'NAME',
  argumentNeeded: true,
  help: `Prints a link that lets the owner of an account choose a new password, within ${LINK_HOURS} hours, once. The old
one works until then. With --password-stdin it is set at once, and all sessions end.

${EXIT_CODES}

Examples:
  telemetricsd user password ann
  pwgen 20 1 | telemetricsd user password ann --password-stdin`,

  async run({ options, argument }) {
    const hash = options['password-stdin'] ? await readPassword() : undefined;
    const text = await withDatabase('user', { ...options, quiet: true }, ({ sql, config }) =>
      sql.begin(async tx => {
        const user = await userOf(tx, argument!);
        const action = hash === undefined ? 'made a password link' : 'set the password';
        await recordAudit(tx, shellActor(), { action, subject: `user ${user.name}` });
        if (hash === undefined) return await linkText(tx, config, user);
        await setPassword(tx, user.id, hash);
        return `${user.name} has that password now.\n`;
      }),
    );
    await print(text);
    return 0;
  },
});

export const userRemove = defineCommand({
  options: { config: configOption },
  argument: 'NAME',
  argumentNeeded: true,
  help: `Removes an account and ends its sessions. What its owner did stays in the audit.

${EXIT_CODES}`,

  async run({ options, argument }) {
    await withDatabase('user', { ...options, quiet: true }, ({ sql }) =>
      sql.begin(async tx => {
        const user = await userOf(tx, argument!);
        await assertNotLastAdmin(tx, user);
        await removeUser(tx, user.id);
        const before = { role: user.role };
        await recordAudit(tx, shellActor(), { action: 'removed a user', subject: `user ${user.name}`, before });
      }),
    );
    await print(`Removed ${argument}.\n`);
    return 0;
  },
});

async function readPassword(): Promise<string> {
  const password = newPassword.safeParse((await Bun.stdin.text()).replace(/\r?\n$/, ''));
  if (!password.success) throw new OperatorError('that password is not good enough', `Use ${PASSWORD_RULE}.`);
  return await hashPassword(password.data);
}

async function linkText(sql: Queryable, config: Config, user: User): Promise<string> {
  const link = `${siteOf(config)}${await makeLink(sql, user.id)}`;
  return `Let ${user.name} (${user.role}) choose a password here, within ${LINK_HOURS} hours:\n\n  ${link}\n`;
}

async function userOf(sql: Queryable, name: string): Promise<User> {
  const user = await findUser(sql, name);
  if (!user) throw new OperatorError(`there is no account ${name}`, '"telemetricsd user list" lists them.');
  return user;
}

async function assertNotLastAdmin(sql: Queryable, { id, name }: User) {
  if (await isLastAdmin(sql, id)) throw new OperatorError(`${name} is the last admin`, 'Make someone else one first.');
}

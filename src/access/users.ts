import { z } from 'zod';
import type { Queryable } from '../db/connect.ts';
import type { Role } from '../roles.ts';

export const NAME_RULE = '1 to 64 printable characters, no space at either end';

/** Invisible characters, and those that reverse text: with them a name could look like another one. */
const UNSEEN = String.raw`\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}`;

export const userName = z
  .string({ error: `expected ${NAME_RULE}` })
  .regex(new RegExp(`^(?!\\p{Z})[^${UNSEEN}]{1,64}(?<!\\p{Z})$`, 'u'), `expected ${NAME_RULE}`);

/** The closest valid name to some text. */
export function nameFrom(text: string): string {
  const printable = text.replaceAll(new RegExp(`[${UNSEEN}]`, 'gu'), '').trim();
  return [...printable].slice(0, 64).join('').trim() || 'unnamed';
}

export interface User {
  id: number;
  name: string;
  role: Role;
  /** Whether they can sign in with a password. */
  hasPassword: boolean;
  /** Whether they come from the OpenID provider. */
  fromProvider: boolean;
  createdAt: Date;
  signedInAt: Date | null;
}

function userColumns(sql: Queryable) {
  return sql`
    id, name, role, password is not null as "hasPassword", oidc_subject is not null as "fromProvider",
    created_at as "createdAt", signed_in_at as "signedInAt"`;
}

export function listUsers(sql: Queryable) {
  return sql<User[]>`select ${userColumns(sql)} from users order by lower(name)`;
}

/** Finds a user by name, ignoring case. */
export async function findUser(sql: Queryable, name: string) {
  const [user] = await sql<User[]>`select ${userColumns(sql)} from users where lower(name) = lower(${name})`;
  return user;
}

export async function findUserById(sql: Queryable, id: number) {
  const [user] = await sql<User[]>`select ${userColumns(sql)} from users where id = ${id}`;
  return user;
}

export async function hasUsers(sql: Queryable): Promise<boolean> {
  const [row] = await sql<{ present: boolean }[]>`select exists (select from users) as present`;
  return row!.present;
}

/** Returns undefined if the name is taken. */
export async function addUser(sql: Queryable, name: string, role: Role) {
  const [user] = await sql<User[]>`
    insert into users (name, role) values (${name}, ${role}) on conflict do nothing returning ${userColumns(sql)}`;
  return user;
}

export async function setRole(sql: Queryable, id: number, role: Role) {
  await sql`update users set role = ${role} where id = ${id}`;
}

/** A new password ends all sessions. With null the user has none until a link is used. */
export async function setPassword(sql: Queryable, id: number, hash: string | null) {
  await sql`
    with ended as (delete from sessions where user_id = ${id})
    update users set password = ${hash} where id = ${id}`;
}

export async function removeUser(sql: Queryable, id: number) {
  await sql`delete from users where id = ${id}`;
}

/** Whether this user is the only admin. Locks the admins, so that two can't remove each other at once. */
export async function isLastAdmin(sql: Queryable, id: number): Promise<boolean> {
  const admins = await sql<{ id: number }[]>`select id from users where role = 'admin' order by id for update`;
  return admins.length === 1 && admins[0]!.id === id;
}

/** The data needed to check a password. */
export async function passwordOf(sql: Queryable, name: string) {
  const [row] = await sql<{ id: number; name: string; password: string | null }[]>`
    select id, name, password from users where lower(name) = lower(${name})`;
  return row;
}

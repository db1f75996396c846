/** Each role may also do what the roles before it may. */
export const ROLES = ['viewer', 'analyst', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** What a token allows a script to do. */
export const TOKEN_SCOPES = ['records:read', 'analysis:write', 'metrics:read'] as const;
export type TokenScope = (typeof TOKEN_SCOPES)[number];

/**
 * What a route requires: `read`, `analyse` and `administer` need a role or a scope; `metrics` also lets Prometheus in.
 */
export type Permission = 'read' | 'metrics' | 'analyse' | 'administer';

/** Who sends a request. */
export type Visitor =
  /** Anyone who reaches a listener while access.mode is open. */
  | { via: 'open'; name: 'anyone'; role: 'admin' }
  | { via: 'session'; name: string; role: Role; userId: number; sessionId: number }
  | { via: 'proxy'; name: string; role: Role; userId: number }
  | { via: 'token'; name: string; scopes: TokenScope[] };

declare module 'hono' {
  interface ContextVariableMap {
    /** Undefined if nobody is signed in. */
    visitor: Visitor | undefined;
  }
}

const LEAST_ROLE: Record<Permission, Role> = {
  read: 'viewer',
  metrics: 'viewer',
  analyse: 'analyst',
  administer: 'admin',
};

const SCOPE: Record<Permission, TokenScope | undefined> = {
  read: 'records:read',
  metrics: 'metrics:read',
  analyse: 'analysis:write',
  administer: undefined,
};

/** Whether a visitor may do something. */
export function may(visitor: Visitor | undefined, permission: Permission): boolean {
  if (!visitor) return false;
  if (visitor.via === 'token') {
    const scope = SCOPE[permission];
    return scope !== undefined && visitor.scopes.includes(scope);
  }
  return ROLES.indexOf(visitor.role) >= ROLES.indexOf(LEAST_ROLE[permission]);
}

/** The role or token that would give the permission, in words. */
export function needed(permission: Permission): string {
  const scope = SCOPE[permission];
  return `the role ${LEAST_ROLE[permission]}${scope ? `, or a token with the scope ${scope}` : ''}`;
}

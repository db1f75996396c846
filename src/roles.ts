/** What people may do, each role what those before it may. */
export const ROLES = ['viewer', 'analyst', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** What a script may do with a token. */
export const TOKEN_SCOPES = ['records:read', 'analysis:write', 'metrics:read'] as const;
export type TokenScope = (typeof TOKEN_SCOPES)[number];

/** What a route asks for: `read` and `analyse` and `administer` of a role, `metrics` also of Prometheus. */
export type Permission = 'read' | 'metrics' | 'analyse' | 'administer';

/** Who sends a request. */
export type Visitor =
  /** Anyone who reaches a listener, where access.mode is open. */
  | { via: 'open'; name: 'anyone'; role: 'admin' }
  | { via: 'session'; name: string; role: Role; userId: number; sessionId: number }
  | { via: 'proxy'; name: string; role: Role; userId: number }
  | { via: 'token'; name: string; scopes: TokenScope[] };

declare module 'hono' {
  interface ContextVariableMap {
    /** Undefined where nobody signed in. */
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

/** What would let someone do something, in words. */
export function needed(permission: Permission): string {
  const scope = SCOPE[permission];
  return `the role ${LEAST_ROLE[permission]}${scope ? `, or a token with the scope ${scope}` : ''}`;
}

-- Who may look and who may change. Keys of sessions, links and tokens are kept as SHA-256 alone: reading the database lets nobody in.
create table users (
  id            integer     generated always as identity primary key,
  name          text        not null check (length(name) between 1 and 64),
  role          text        not null check (role in ('viewer', 'analyst', 'admin')),
  password      text,       -- argon2id; null where something else proves who they are, or a link waits for them
  oidc_subject  text        unique, -- issuer and "sub"
  created_at    timestamptz not null default now(),
  signed_in_at  timestamptz
);
create unique index users_name on users (lower(name));

create table tokens (
  id         integer     generated always as identity primary key,
  name       text        not null unique check (length(name) between 1 and 64),
  key        bytea       not null unique,
  scopes     text[]      not null,
  created_by text        not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  used_at    timestamptz
);

-- What was changed, by whom, and who came in or tried to.
create table audit (
  id      bigint      generated always as identity primary key,
  at      timestamptz not null default now(),
  who     text        not null,
  via     text        not null,
  address text,
  action  text        not null,
  subject text,
  before  jsonb,
  after   jsonb
);
create index audit_who on audit (lower(who), id);
create index audit_action on audit (action, lower(who), at);

-- These are worth nothing in a backup, which leaves out what is unlogged; after a crash of the database people sign in again.
create unlogged table sessions (
  key        bytea       primary key,
  id         integer     generated always as identity unique,
  user_id    integer     not null references users on delete cascade,
  created_at timestamptz not null default now(),
  seen_at    timestamptz not null default now(),
  address    text,
  agent      text
);
create index sessions_user on sessions (user_id);

-- Each lets whoever opens it first choose a password: of that user, or of the first admin, whom they name.
create unlogged table sign_in_links (
  key        bytea       primary key,
  user_id    integer     references users on delete cascade,
  expires_at timestamptz not null
);

create unlogged table sign_in_failures (
  at      timestamptz not null default now(),
  account text        not null,
  address text        not null
);
create index sign_in_failures_account on sign_in_failures (account, at);
create index sign_in_failures_address on sign_in_failures (address, at);

-- Sign-ins that an OpenID provider has not answered yet.
create unlogged table oidc_sign_ins (
  state      bytea       primary key,
  nonce      text        not null,
  verifier   text        not null,
  next       text        not null,
  expires_at timestamptz not null
);

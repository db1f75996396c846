-- What the server knows of itself and of its users.

-- Requests with a known TID that could not be stored as records. An evicted one keeps its fingerprint for 20 hours,
-- until its client gives up, so that the client's spool drains.
create table quarantine (
  id          bigint      generated always as identity primary key,
  fingerprint uuid        not null unique, -- of TID, metadata and payload
  first_at    timestamptz not null,
  last_at     timestamptz not null,
  attempts    integer     not null,
  fleet_id    smallint    not null,
  machine_id  text,       -- as claimed
  address     text,
  field       text,       -- the field that was wrong; null: the request as a whole
  reason      text        not null,
  bytes       integer     not null,
  headers     jsonb,      -- [[name, value], …]
  body        bytea,
  evicted_at  timestamptz,
  scrubbed    text[],     -- the rules of privacy.scrub that changed the request before it was stored; null: none
  is_ureport  boolean     not null default false, -- the body is a µReport of ABRT, without what names its machine
  check ((evicted_at is null) = (body is not null and headers is not null))
);
create index quarantine_machine on quarantine (machine_id, id) where evicted_at is null;
create index quarantine_address on quarantine (address, id) where evicted_at is null;
create index quarantine_evicted on quarantine (evicted_at) where evicted_at is not null;

-- What the ids of machines that ABRT sends are hashed with, so that nobody can tell which machine is meant who does not have both.
create table machine_id_secret (
  single boolean primary key default true check (single),
  secret bytea   not null check (length(secret) = 32)
);
insert into machine_id_secret (secret) values (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));

-- What the limits of TIDs turned away, by UTC day.
create table turned_away (
  day      date        not null,
  fleet_id smallint    not null references fleets,
  kind     text        not null check (kind in ('forbidden', 'postponed', 'dropped')),
  requests bigint      not null,
  last_at  timestamptz not null,
  primary key (day, fleet_id, kind)
);

-- Accounts. Keys of sessions, links and tokens are stored only as SHA-256, so that nobody can use what they read in the
-- database.
create table users (
  id            integer     generated always as identity primary key,
  name          text        not null check (length(name) between 1 and 64),
  role          text        not null check (role in ('viewer', 'analyst', 'admin')),
  password      text,       -- argon2id; null: they sign in otherwise, or have not used their link yet
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

-- Changes and who made them, sign-ins and attempts.
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

-- The next four tables are unlogged, so backups leave them out: they would be useless there. After a crash of the
-- database people sign in again.
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

-- Whoever opens a link first chooses a password: for its user, or, if that is null, for the first admin, who also
-- chooses a name.
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

-- The last outcomes of the jobs that admins care about, kept across restarts.
create table job_outcomes (
  job          text        primary key,
  succeeded_at timestamptz,
  failed_at    timestamptz,
  failure      text        -- the reason of the last failure
);

-- The notices that were sent, so that several servers on one database send each once. By channel: if one channel fails,
-- the notice is sent there again, even if another channel took it. Useless in a backup, so unlogged.
create unlogged table notices_sent (
  channel   text        not null,
  subject   text        not null,
  sent_at   timestamptz not null,
  lasted_to timestamptz not null, -- when its cause was last found
  primary key (channel, subject)
);
create index notices_sent_at on notices_sent (sent_at);

-- One row: whether the clock is believed. Records are removed by age, so the server doubts a clock that differs much
-- from what it expected.
create table clock (
  single      boolean          primary key default true check (single),
  trusted_at  timestamptz      not null, -- the last check at which it was believed; this and the next two are times of that clock
  looked_at   timestamptz      not null,
  doubted_at  timestamptz,               -- null while the clock is believed
  after_id    bigint           not null default 0, -- records received since the doubt began have higher ids
  watched     double precision not null default 0, -- seconds that servers have watched it since then
  stepped     boolean          not null default false, -- whether a server was running when it happened
  agreeing    integer          not null default 0, -- recently reporting machines whose clocks agree with it
  disagreeing integer          not null default 0,
  misdated    boolean          not null default false -- what was counted meanwhile must still be corrected
);
insert into clock (trusted_at, looked_at) values (now(), now());

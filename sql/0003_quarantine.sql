-- Requests with a known TID that could not be stored as records. An evicted one keeps its fingerprint for
-- 20 hours, the time after which a client gives up, so that the client's spool flows on.
create table quarantine (
  id          bigint      generated always as identity primary key,
  fingerprint uuid        not null unique, -- of TID, metadata and payload
  first_at    timestamptz not null,
  last_at     timestamptz not null,
  attempts    integer     not null,
  fleet_id    smallint    not null,
  machine_id  text,       -- as claimed
  address     text,
  field       text,       -- the field that was wrong, null where the request as a whole was
  reason      text        not null,
  bytes       integer     not null,
  headers     jsonb,      -- [[name, value], …]
  body        bytea,
  evicted_at  timestamptz,
  check ((evicted_at is null) = (body is not null and headers is not null))
);
create index quarantine_machine on quarantine (machine_id, id) where evicted_at is null;
create index quarantine_address on quarantine (address, id) where evicted_at is null;
create index quarantine_field on quarantine (field, id) where evicted_at is null;
create index quarantine_evicted on quarantine (evicted_at) where evicted_at is not null;

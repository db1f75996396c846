-- What analysis and parsers failed on is found without a look at what waits.
create index work_queue_failed on work_queue (kind, record_id) where attempts >= 3;

-- The parsers of admins that the servers on this database have enabled: what waits for one of them is left to it.
create table parser_servers (
  server  uuid        primary key, -- of a process
  host    text        not null,
  enabled text[]      not null,
  seen_at timestamptz not null,
  stopped boolean     not null default false
);

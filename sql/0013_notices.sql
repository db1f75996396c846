-- How the jobs went that admins want to know about, across restarts.
create table job_outcomes (
  job          text        primary key,
  succeeded_at timestamptz,
  failed_at    timestamptz,
  failure      text        -- why the last one that failed did
);

-- What admins were told: several servers on one database tell it once. Of no use in a backup.
create unlogged table notices_sent (
  subject text        primary key,
  sent_at timestamptz not null default now()
);
create index notices_sent_at on notices_sent (sent_at);

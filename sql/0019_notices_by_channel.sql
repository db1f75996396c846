-- What admins were told, by each way of telling them: what one did not take is sent there again, though another took it.
drop table notices_sent;
create unlogged table notices_sent (
  channel   text        not null,
  subject   text        not null,
  sent_at   timestamptz not null,
  lasted_to timestamptz not null, -- its cause was last found then
  primary key (channel, subject)
);
create index notices_sent_at on notices_sent (sent_at);

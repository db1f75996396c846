-- What is removed for its age goes by the clock, so that is doubted where it is far from what was to be expected.
create table clock (
  single      boolean          primary key default true check (single),
  trusted_at  timestamptz      not null, -- by the clock itself, like the others: the last look at which it was believed
  looked_at   timestamptz      not null,
  doubted_at  timestamptz,               -- null while it is believed
  after_id    bigint           not null default 0, -- records that came since then have higher ids
  watched     double precision not null default 0, -- so many seconds servers have watched it since then
  stepped     boolean          not null default false, -- a server saw it happen; else none was running
  agreeing    integer          not null default 0, -- of the machines that reported lately, those whose clocks agree with it
  disagreeing integer          not null default 0,
  misdated    boolean          not null default false -- what was counted meanwhile has yet to be put right
);

insert into clock (trusted_at, looked_at)
select known.at, known.at
  from (select coalesce(greatest((select max(hour) from hour_counts), (select max(succeeded_at) from job_outcomes)), now()) as at) known;

-- The machines of that day are to be counted once more when it is over.
alter table record_days add column recount boolean not null default false;

-- After the clock went back: what was seen on days to come was seen today. Else a machine would not be counted on the days until then,
-- and for as long after it is gone. Counting and analysis wait meanwhile (55P03 where they can't be kept out within 2 s); records don't.
create function take_back_coming_days() returns void language plpgsql as $$
declare
  today constant date := (now() at time zone 'UTC')::date;
begin
  perform set_config('lock_timeout', '2s', true);
  lock table guilties, stacks in share row exclusive mode;
  lock table guilty_machines in exclusive mode;
  lock table machines_last_seen in share row exclusive mode;
  update stack_builds set first_day = least(first_day, today), last_day = today where last_day > today;
  update stack_machines set last_day = today where last_day > today;
  update guilty_machines set last_day = today where last_day > today;
  delete from guilty_machine_counts where last_day >= today;
  insert into guilty_machine_counts (guilty_id, last_day, system_name, fleet_id, external, machines)
  select guilty_id, last_day, system_name, fleet_id, external, count(*) from guilty_machines where last_day >= today group by 1, 2, 3, 4, 5;
  update machine_check_totals set last_day = today where last_day > today;
  update machines_last_seen set last_day = today where last_day > today;
  perform rebuild_machine_counts();
end
$$;

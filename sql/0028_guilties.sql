-- Of a pattern, * in function and module stands for any text or none, \* for a star.
alter table never_guilty add column pattern boolean not null default false;
drop index never_guilty_frame;
create unique index never_guilty_frame on never_guilty (md5(function || E'\n' || module), pattern);

-- Where all stacks of this guilty went, and with them what was said of it: who asks for this one is told of that one. Checked
-- when a transaction ends, since a backup is restored in any order.
alter table guilties
  add column alias_of bigint references guilties on delete set null deferrable initially deferred check (alias_of <> id);
create index guilties_alias_of on guilties (alias_of) where alias_of is not null;

alter table stacks
  add column moved_from bigint, -- the guilty that it had before this one; null: it never had another
  add column frame_keys integer[] not null default '{}'; -- of its frames' names as they are compared: hashes to find it by
create index stacks_moved_from on stacks (moved_from) where moved_from is not null;
create index stacks_frame_keys on stacks using gin (frame_keys);
drop index stacks_frames;

-- The newest guilty when it was asked for: those made since take over whether the guilties they replace are hidden.
alter table recomputations add column newest_guilty bigint not null default 0;

-- Reports of the kernel without frames all shared one stack that had no guilty. They are taken out of what was counted of it, and
-- analysed again as if they had just come. Counts of records that are gone stay.
do $$
declare
  frameless constant bigint[] := array(select id from stacks where frames = '[]');
  d date;
  crashed counted_crash[];
begin
  for d in
    select distinct (received_at at time zone 'UTC')::date from crashes where stack_id = any(frameless) order by 1
  loop
    with gone as (
      delete from crashes c using records r
       where c.stack_id = any(frameless)
         and c.received_at >= d::timestamp at time zone 'UTC' and c.received_at < (d + 1)::timestamp at time zone 'UTC'
         and r.received_at >= d::timestamp at time zone 'UTC' and r.received_at < (d + 1)::timestamp at time zone 'UTC'
         and (r.machine_id, r.received_at, r.id) = (c.machine_id, c.received_at, c.id)
      returning c.stack_id, c.machine_id, c.received_at, c.id, r.fleet_id, r.external, r.system_name, r.build, r.host_type
    ), queued as (
      insert into work_queue (kind, record_id, machine_id, received_at)
      select 'crash', id, machine_id, received_at from gone order by id
          on conflict do nothing
    ), machines as (
      update stack_machines known
         set records = known.records - counted.records
        from (select stack_id, machine_id, system_name, build, fleet_id, external, count(*) as records
                from gone group by 1, 2, 3, 4, 5, 6) counted
       where (known.stack_id, known.machine_id, known.system_name, known.build, known.fleet_id, known.external)
           = (counted.stack_id, counted.machine_id, counted.system_name, counted.build, counted.fleet_id, counted.external)
    )
    select coalesce(array_agg(row(stack_id, fleet_id, external, system_name, build, host_type)::counted_crash), '{}')
      into crashed from gone;
    perform take_from_stack_counters(d, crashed);
  end loop;
  delete from stack_machines where stack_id = any(frameless) and records <= 0;
end
$$;

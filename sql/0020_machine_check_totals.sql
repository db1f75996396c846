-- Machine checks of each machine id over all days that are counted, so that those with most are found without adding up all. Follows
-- machine_check_machines by itself, whoever writes that. `last_day` stays where its row goes: it only keeps old ids out.
create table machine_check_totals (
  machine_id text   collate "C" primary key,
  last_day   date   not null,
  records    bigint not null
) with (fillfactor = 80);
create index machine_check_totals_records on machine_check_totals (records desc, machine_id);
create index machine_check_machines_machine on machine_check_machines (machine_id);

insert into machine_check_totals (machine_id, last_day, records)
select machine_id, max(day), sum(records) from machine_check_machines group by 1;

-- In key order, like every counter.
create function add_machine_check_totals() returns trigger language plpgsql as $$
begin
  insert into machine_check_totals as known (machine_id, last_day, records)
  select machine_id, max(day), sum(records) from came group by 1 order by 1
      on conflict (machine_id) do update
     set last_day = greatest(known.last_day, excluded.last_day), records = known.records + excluded.records;
  return null;
end
$$;

create function move_machine_check_totals() returns trigger language plpgsql as $$
begin
  insert into machine_check_totals as known (machine_id, last_day, records)
  select machine_id, max(day), sum(records)
    from (select machine_id, day, records from came union all select machine_id, day, -records from went) moved
   group by 1 order by 1
      on conflict (machine_id) do update
     set last_day = greatest(known.last_day, excluded.last_day), records = known.records + excluded.records;
  return null;
end
$$;

create function take_machine_check_totals() returns trigger language plpgsql as $$
declare
  concerned text[];
begin
  select array_agg(distinct machine_id) into concerned from went;
  insert into machine_check_totals as known (machine_id, last_day, records)
  select machine_id, max(day), -sum(records) from went group by 1 order by 1
      on conflict (machine_id) do update set records = known.records + excluded.records;
  delete from machine_check_totals where machine_id = any(concerned) and records <= 0;
  return null;
end
$$;

create trigger came after insert on machine_check_machines
  referencing new table as came for each statement execute function add_machine_check_totals();
create trigger moved after update on machine_check_machines
  referencing old table as went new table as came for each statement execute function move_machine_check_totals();
create trigger went after delete on machine_check_machines
  referencing old table as went for each statement execute function take_machine_check_totals();

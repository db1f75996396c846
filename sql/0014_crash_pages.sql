-- The build that a crash came from, as its record has it: crashes of one build, or of one machine on it, are found and counted by
-- day without looking into the records.
alter table crashes add column build text collate "C" not null default '';
update crashes c
   set build = r.build
  from records r
 where (r.machine_id, r.received_at, r.id) = (c.machine_id, c.received_at, c.id);
alter table crashes alter column build drop default;

-- Where the first and the last build of a stack are found without reading all of them.
create index stack_builds_place on stack_builds (stack_id, system_name, fleet_id, version_order(build), build);

-- Which systems crashed lately is told by a few lookups each.
create index guilty_machine_counts_system on guilty_machine_counts (system_name, last_day);

-- What the limits of TIDs turned away, by UTC day.
create table turned_away (
  day      date        not null,
  fleet_id smallint    not null references fleets,
  kind     text        not null check (kind in ('forbidden', 'postponed', 'dropped')),
  requests bigint      not null,
  last_at  timestamptz not null,
  primary key (day, fleet_id, kind)
);

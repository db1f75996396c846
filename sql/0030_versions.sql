-- The order of builds is that of dpkg and rpm. An epoch counts first (1:2.3 after 9.9), and numbers count as numbers (9.10 after 9.9).
-- Where two versions differ, this comes first to last: ~, the end, -, ^, a number, a letter, +, and other characters
-- (39~rc1, 39; 1.0, 1.0-1, 1.0^git5, 1.0a, 1.0+rev2, 1.0.1). The key has a character for each that sorts so, '"' for the end, and
-- the length of a number in front of it.
create or replace function version_order(build text) returns text language sql immutable strict parallel safe as $$
  select string_agg(case
                      when part[1] ~ '^[0-9]' then
                        '%' || lpad(length(ltrim(part[1], '0'))::text, 3, '0') || ltrim(part[1], '0')
                      else translate(part[1], '~-^+.:_', '!#${|}~')
                    end, '' order by n) || '"' collate "C"
    from regexp_matches(case when build ~ '^[0-9]+:' then build else '0:' || build end, '[0-9]+|[^0-9]+', 'g') with ordinality as parts (part, n)
$$;
reindex index stack_builds_place;

-- The builds that a successful update went from and to, or nulls. server_version is what an updater was offered: it does nothing where
-- that is older than current_version, or a number below 0, which is an error. A bound on the length within the expression would
-- cost three times as much as the rest of it.
create or replace function builds_of_update(payload text, out from_build text, out to_build text) language plpgsql immutable parallel safe as $$
begin
  from_build := substring(payload from '(?n)^(?:current_version=|from_version:) *([_a-zA-Z0-9.+~^:][-_a-zA-Z0-9.+~^:]*)\s*$');
  to_build := substring(payload from '(?n)^(?:server_version=|to_version:) *([_a-zA-Z0-9.+~^:][-_a-zA-Z0-9.+~^:]*)\s*$');
  if length(from_build) > 64 then
    from_build := null;
  end if;
  if length(to_build) > 64 then
    to_build := null;
  end if;
  if from_build = to_build
     or coalesce(substring(payload from '(?n)^result(?:=|:) *(\S+)\s*$'), '0') <> '0'
     or (payload ~ '(?n)^server_version=' and version_order(to_build) < version_order(from_build))
  then
    from_build := null;
  end if;
end
$$;

-- Counted before as updates.
delete from update_counts where from_build like '-%' or to_build like '-%';

-- Searches of payloads go by trigrams where the server has them: a database without them is searched more slowly.
do $$
begin
  create extension if not exists pg_trgm;
exception
  when insufficient_privilege or undefined_file or feature_not_supported then
    raise notice 'pg_trgm is not available: payloads are searched without an index';
end
$$;

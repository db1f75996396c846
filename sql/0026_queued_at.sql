-- How long a record has waited for work counts from here: imported records were received long before.
alter table work_queue add column queued_at timestamptz not null default now();

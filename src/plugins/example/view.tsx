import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import {
  BarTable,
  counted,
  EmptyState,
  Page,
  type PluginEnv,
  readChoices,
  readScope,
  recordsPath,
  type Scope,
  ScopeForm,
  SeriesChart,
  type Sql,
  seriesOf,
  slotsOf,
} from 'telemetricsd';

export const title = 'Kernels';
export const app = new Hono<PluginEnv>();

const WINDOWS = [7, 14, 35, 91];
const SERIES = 5;

app.get('/', async c => {
  const { sql, frame, base } = c.env;
  const { scope, errors } = readScope(c.req.query());
  const [choices, kernels] = await Promise.all([readChoices(sql), countKernels(sql, scope)]);
  const days = slotsOf({ days: scope.days }, frame.now);
  const most = kernels.slice(0, SERIES).map(({ kernel }) => kernel);
  const byDay = await countByDay(sql, scope, most);
  return c.html(
    <Page
      frame={frame}
      title={title}
      lead="Records by operating system and kernel."
      styles={['style.css']}
      live
      explore
    >
      <ScopeForm
        action={base}
        label="Filter kernels"
        scope={scope}
        systems={choices.systems}
        fleets={choices.fleets}
        windows={WINDOWS}
        errors={errors}
      />
      {kernels.length === 0 ? (
        <EmptyState title="No records">
          <p>Choose a longer window, or another OS.</p>
        </EmptyState>
      ) : (
        <>
          <h2>The most frequent kernels by day</h2>
          <SeriesChart over={seriesOf(days, byDay)} unit="records" />
          <h2 class="kernels">By operating system</h2>
          <p>{counted(kernels[0]!.known, 'kernel')}, the most frequent first.</p>
          <BarTable
            label="Records by OS and kernel"
            heads={['OS and kernel', 'Records']}
            whole={{ names: kernels[0]!.known, n: kernels[0]!.total }}
            rows={kernels.map(({ os, kernel, records }) => ({
              name: `${os || 'unknown'} · ${kernel}`,
              n: records,
              href: `${base}/${encodeURIComponent(kernel)}`,
            }))}
          />
        </>
      )}
    </Page>,
    errors ? 400 : 200,
  );
});

app.get('/:kernel', async c => {
  const { sql, frame, base } = c.env;
  const kernel = c.req.param('kernel');
  const builds = await countBuilds(sql, kernel);
  if (builds.length === 0) throw new HTTPException(404, { message: `no record of the kernel ${kernel}` });
  return c.html(
    <Page frame={frame} title={`Kernel ${kernel}`} lead="Its records of the last 7 days, by build.">
      <p>
        <a href={base}>All kernels</a> · <a href={recordsPath({ kernel_version: kernel })}>its records</a>
      </p>
      <BarTable
        label="Records by build"
        heads={['Build', 'Records']}
        rows={builds.map(({ build, records }) => ({ name: build, n: records }))}
      />
    </Page>,
  );
});

/** Counters answer at once, however many records there are: they have one row for each kernel, OS and day. */
function countKernels(sql: Sql, { os, fleet, days }: Scope) {
  return sql<{ os: string; kernel: string; records: number; known: number; total: number }[]>`
    select system_name as os, kernel_version as kernel, sum(records)::bigint as records,
           count(*) over () as known, (sum(sum(records)) over ())::bigint as total
      from kernel_counts
     where day > (now() at time zone 'UTC')::date - ${days}::int
       and (${os ?? null}::text is null or system_name = ${os ?? null})
       and (${fleet ?? null}::text is null or fleet_id in (select id from fleets where name = ${fleet ?? null}))
     group by system_name, kernel_version
     order by records desc, kernel_version
     limit 100`;
}

function countByDay(sql: Sql, { os, days }: Scope, kernels: string[]) {
  return sql<{ slot: string; name: string; n: number }[]>`
    select day::text as slot, kernel_version as name, sum(records)::bigint as n
      from kernel_counts
     where day > (now() at time zone 'UTC')::date - ${days}::int
       and (${os ?? null}::text is null or system_name = ${os ?? null})
       and kernel_version = any(${kernels}::text[])
     group by day, kernel_version
     order by day`;
}

/** Records have fields that counters lack, and are slower to query: restrict them by received_at. */
function countBuilds(sql: Sql, kernel: string) {
  return sql<{ build: string; records: number }[]>`
    select build, count(*) as records
      from records
     where received_at > now() - interval '7 days' and kernel_version = ${kernel}
     group by build
     order by records desc
     limit 50`;
}

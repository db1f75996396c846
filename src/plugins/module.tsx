import type { FC, PropsWithChildren } from 'hono/jsx';
import { Page as FramedPage, type PageProps as FramedPageProps, type PageFrame } from '../../views/layout.tsx';
import { BarTable } from '../../views/parts/bars.tsx';
import { SelectField, TextField } from '../../views/parts/fields.tsx';
import { machinePath, pluginPath, recordPath, recordsPath } from '../../views/parts/links.ts';
import { count, counted, EmptyState, Notice, Pager, Scroll, Severity, Time } from '../../views/parts/parts.tsx';
import { ScopeForm } from '../../views/parts/scope-form.tsx';
import { SeriesChart, SlotChart } from '../../views/parts/slot-chart.tsx';
import type { Queryable } from '../db/connect.ts';
import { listFleets, listSystems } from '../records/queries.ts';
import { scopeQuery } from '../time/scope.ts';
import { largestFirst, seriesOf } from '../time/series.ts';
import { slotsOf } from '../time/window.ts';
import { readQuery } from '../validation.ts';

/** The page frame of a request to a plugin. */
export interface PluginFrame extends PageFrame {
  plugin: string;
}

export interface PageProps extends Omit<FramedPageProps, 'frame' | 'current' | 'styles' | 'scripts'> {
  frame: PluginFrame;
  styles?: string[] | undefined;
  scripts?: string[] | undefined;
}

const Page: FC<PropsWithChildren<PageProps>> = ({ frame, styles = [], scripts = [], ...props }) => (
  <FramedPage
    {...props}
    frame={frame}
    current={`plugins/${frame.plugin}`}
    styles={styles.map(name => staticPath(frame, name))}
    scripts={scripts.map(name => staticPath(frame, name))}
  />
);

const staticPath = (frame: PluginFrame, name: string): string => `${pluginPath(frame.plugin)}/static/${name}`;

/** What the address asks for: `errors` has what it must not ask. */
function readScope(query: Record<string, string>, { days = 14 } = {}) {
  const { query: asked, errors } = readQuery(scopeQuery, query);
  return { scope: { os: asked.os, fleet: asked.fleet, days: asked.days ?? days }, errors };
}

async function readChoices(sql: Queryable) {
  const [systems, fleets] = await Promise.all([listSystems(sql), listFleets(sql)]);
  return { systems, fleets };
}

/** The module "telemetricsd" as plugins import it, as telemetricsd.d.ts declares it. */
export const pluginModule = {
  Page,
  Notice,
  EmptyState,
  Scroll,
  Time,
  Severity,
  Pager,
  BarTable,
  SlotChart,
  SeriesChart,
  ScopeForm,
  SelectField,
  TextField,
  count,
  counted,
  seriesOf,
  largestFirst,
  slotsOf,
  readScope,
  readChoices,
  recordsPath,
  recordPath,
  machinePath,
  staticPath,
};

type Declared = typeof import('telemetricsd');
/** The declarations say what is there: only their `Sql` is narrower than ours. */
pluginModule satisfies Omit<Declared, 'readChoices' | 'Page' | 'staticPath'> & Record<keyof Declared, unknown>;

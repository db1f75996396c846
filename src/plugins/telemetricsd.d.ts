/** The types that telemetricsd offers to view plugins. "telemetricsd plugin init" writes this file and renews it. */
declare module 'telemetricsd' {
  import type { Child, FC, PropsWithChildren } from 'hono/jsx';

  /** `new Hono<PluginEnv>()`: what handlers find in `c.env`. */
  export interface PluginEnv {
    Bindings: {
      /** Reads the database, see "telemetricsd help plugins". */
      sql: Sql;
      /** For `Page`. */
      frame: Frame;
      /** The user, if people sign in. */
      user: { name: string; role: string } | undefined;
      /** The address of the plugin, `/telemetryui/plugins/NAME`. */
      base: string;
    };
  }

  export type Value = string | number | boolean | Date | null | readonly (string | number)[] | Fragment;

  /** A part of a query, usable as a value in another. */
  export interface Fragment {
    readonly strings?: unknown;
  }

  /** sql`select … ${value}`: values are sent apart from the text. int8 becomes a number, timestamptz a Date. */
  export interface Sql {
    // biome-ignore lint/suspicious/noExplicitAny: rows that nobody described
    <Rows extends readonly object[] = any[]>(text: TemplateStringsArray, ...values: Value[]): Promise<Rows> & Fragment;
    /** A quoted name of a column or table. */
    (name: string): Fragment;
  }

  export interface Frame {
    /** When the request came. */
    readonly now: Date;
    readonly plugin: string;
  }

  export interface PageProps {
    frame: Frame;
    title: string;
    /** A sentence below the title. */
    lead?: string | undefined;
    notice?: NoticeProps | undefined;
    /** Loads htmx: forms and links with hx-… replace parts of the page. */
    live?: boolean | undefined;
    /** Loads uPlot: charts of series can be zoomed and show their values. Otherwise they are drawings. */
    explore?: boolean | undefined;
    /** Files in static/. */
    styles?: string[] | undefined;
    scripts?: string[] | undefined;
  }

  /** A whole page with navigation and footer. */
  export const Page: FC<PropsWithChildren<PageProps>>;

  export interface NoticeProps {
    kind: 'done' | 'error' | 'warning';
    text: string;
  }
  export const Notice: FC<NoticeProps>;
  export const EmptyState: FC<PropsWithChildren<{ title: string }>>;
  /** Goes around a wide table, which then scrolls on its own, also by keyboard. */
  export const Scroll: FC<PropsWithChildren<{ label: string; fit?: boolean }>>;
  /** `3 minutes ago`, with the exact time on hover. */
  export const Time: FC<{ at: Date; now: Date }>;
  export const Severity: FC<{ level: 1 | 2 | 3 | 4 }>;
  export const Pager: FC<{ newerHref?: string | undefined; olderHref?: string | undefined }>;

  export interface BarTableProps {
    label: string;
    /** The headings of the names and of the numbers. */
    heads: [string, string];
    rows: { name: Child; href?: string | undefined; n: number }[];
    /** What the shares are of, if the rows are only a part: the number of all names, and their sum. */
    whole?: { names: number; n: number } | undefined;
  }
  /** Numbers with their shares as bars; a last row, `others`, holds what has no row of its own. */
  export const BarTable: FC<BarTableProps>;

  export interface Series {
    name: string;
    values: number[];
  }
  export interface SlotSeries {
    slots: string[];
    series: Series[];
  }

  export interface SlotChartProps {
    /** What a slot is: `Day`, `Hour`, `CPU`. */
    slot: string;
    slots: { name: string; tick: string }[];
    bars: Series[];
    line?: Series | undefined;
    /** What the numbers count, in the plural. */
    unit: string;
    /** Whether the table is open from the start. */
    open?: boolean | undefined;
    /** Makes the chart explorable on a page that has `explore`; series charts always are. */
    explore?: boolean | undefined;
  }
  /** Stacked bars and a line, with the numbers as a table. */
  export const SlotChart: FC<SlotChartProps>;

  export interface SeriesChartProps {
    over: SlotSeries;
    byWeek?: boolean | undefined;
    unit: string;
    open?: boolean | undefined;
    hrefOf?: ((days: { from: string; to: string }, series: Series) => string | undefined) | undefined;
  }
  /** A chart over the days of a window that ends today. At most nine series can be distinguished. */
  export const SeriesChart: FC<SeriesChartProps>;

  export interface Scope {
    os?: string | undefined;
    fleet?: string | undefined;
    days: number;
  }
  export interface ScopeFormProps {
    /** Where the form leads, for example `c.env.base`. */
    action: string;
    label: string;
    scope: { os?: string | undefined; fleet?: string | undefined; days?: number | undefined };
    systems: string[];
    fleets: string[];
    /** Windows to choose from, in days. */
    windows: readonly number[];
    errors?: Record<string, string> | undefined;
  }
  /** A form to choose OS, window and fleet, as on the other pages; its children are further fields. */
  export const ScopeForm: FC<PropsWithChildren<ScopeFormProps>>;
  export const SelectField: FC<{
    name: string;
    label: string;
    value?: string | undefined;
    error?: string | undefined;
    /** Value and text. */
    options: [string, string][];
  }>;
  export const TextField: FC<{
    name: string;
    label: string;
    value?: string | undefined;
    error?: string | undefined;
    placeholder?: string | undefined;
    hint?: string | undefined;
  }>;

  /**
   * Reads `os`, `fleet` and `days` from the address (`c.req.query()`); `errors` says by name what is wrong with them.
   */
  export function readScope(
    query: Record<string, string>,
    defaults?: { days?: number },
  ): { scope: Scope; errors: Record<string, string> | undefined };
  /** The choices for ScopeForm. */
  export function readChoices(sql: Sql): Promise<{ systems: string[]; fleets: string[] }>;

  /** `12,345` */
  export function count(n: number): string;
  /** `1 record`, `2,000 records` */
  export function counted(n: number, noun: string): string;
  /** Each UTC day of a window that ends today (or the Monday of each ISO week), oldest first: `2026-11-23`. */
  export function slotsOf(window: { days: number; byWeek?: boolean | undefined }, now: Date): string[];
  /** Turns numbers by slot and name into series over all slots. */
  export function seriesOf(slots: string[], numbers: readonly { slot: string; name: string; n: number }[]): SlotSeries;
  export function largestFirst(over: SlotSeries): SlotSeries;

  export interface RecordFilter {
    os?: string | undefined;
    build?: string | undefined;
    classification?: string | undefined;
    severity?: string | undefined;
    machine_id?: string | undefined;
    fleet?: string | undefined;
    /** Days, `2026-11-23`; both are included. */
    from?: string | undefined;
    to?: string | undefined;
    /** Regular expressions. */
    payload?: string | undefined;
    not_payload?: string | undefined;
    /** What a parser read from the payload. */
    [parsed: `parsed.${string}`]: string | undefined;
    arch?: string | undefined;
    kernel_version?: string | undefined;
    host_type?: string | undefined;
    cpu_model?: string | undefined;
  }
  /** Addresses of pages. */
  export function recordsPath(filter: RecordFilter): string;
  export function recordPath(id: number): string;
  export function machinePath(id: string): string;
  /** The address of a file in static/, such as an image. */
  export function staticPath(frame: Frame, name: string): string;
}

/** The navigation, in the order it is shown. */
export const TABS = [
  { name: 'overview', path: '/telemetryui', title: 'Overview' },
  { name: 'records', path: '/telemetryui/records', title: 'Records' },
  { name: 'crashes', path: '/telemetryui/crashes', title: 'Crashes' },
  { name: 'builds', path: '/telemetryui/builds', title: 'Builds' },
  { name: 'stats', path: '/telemetryui/stats', title: 'Stats' },
  { name: 'mce', path: '/telemetryui/mce', title: 'MCE' },
  { name: 'thermal', path: '/telemetryui/thermal', title: 'Thermal' },
  { name: 'updates', path: '/telemetryui/updates', title: 'Updates' },
  { name: 'population', path: '/telemetryui/population', title: 'Population' },
  { name: 'quarantine', path: '/telemetryui/quarantine', title: 'Quarantine' },
  { name: 'connect', path: '/telemetryui/connect', title: 'Connect machines' },
] as const satisfies { name: string; path: string; title: string }[];

export type TabName = (typeof TABS)[number]['name'];

import { embedFile } from '../embedded.macro.ts' with { type: 'macro' };

const INSTALLER = embedFile('src/probe/install.sh');

/** The files in the installer, offered one by one for packages and configuration management: name → text. */
export const PROBE_FILES: ReadonlyMap<string, string> = new Map([
  ['telemetricsd-probe.sh', embedFile('src/probe/telemetricsd-probe.sh')],
  ['telemetricsd-probe.service', embedFile('src/probe/telemetricsd-probe.service')],
  ['telemetricsd-probe.timer', embedFile('src/probe/telemetricsd-probe.timer')],
]);

/** The version of the probe in this server: a whole number, as in its heartbeats. */
export const PROBE_VERSION = Number(
  /^name=\S+ version=([0-9]+)$/m.exec(PROBE_FILES.get('telemetricsd-probe.sh')!)?.[1],
);

/** The fields that the probe sends of a crash's journal entry. */
export const CRASH_FIELDS = (/^crash_fields='([^']*)'/m.exec(PROBE_FILES.get('telemetricsd-probe.sh')!)?.[1] ?? '')
  .trim()
  .split(/\s+/);

/** The installer for machines that report to `server`, an origin, with `tid`. Neither may contain a single quote. */
export function installer(server: string, tid: string): string {
  const part = (name: string) => PROBE_FILES.get(`telemetricsd-probe.${name}`)!.replace(/\n$/, '');
  const parts: Record<string, string> = {
    SERVER: server,
    TID: tid,
    PROBE: part('sh'),
    SERVICE: part('service'),
    TIMER: part('timer'),
  };
  return INSTALLER.replaceAll(/@([A-Z]+)@/g, (all, name: string) => parts[name] ?? all);
}

/** Two lines of `/etc/telemetricsd-probe.conf`; all others have defaults. */
export function configuration(server: string, tid: string): string {
  return `server = ${server}\ntid = ${tid}\n`;
}

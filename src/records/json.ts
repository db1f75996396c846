import type { StoredRecord } from './record.ts';

/**
 * A record as the REST API and the collector's answer write it. Times are `YYYY-MM-DD HH:MM:SS UTC`. `payload` is the
 * text that came, including NULs, without what the rules in `scrubbed_by` removed; `payload_nul_bytes` counts the NULs.
 * Fields that a record format lacks are null, and so is `way_in` (headers, json, probe, abrt) of a record imported from
 * an old server. `machine_id` is '' if ABRT did not send it.
 */
export function recordToJson(record: StoredRecord) {
  return {
    id: record.id,
    arch: record.arch,
    bios_version: record.biosVersion,
    board_name: record.boardName,
    build: record.build,
    classification: record.classification,
    cpu_model: record.cpuModel,
    event_id: record.eventId,
    external: record.external,
    fleet: record.fleet,
    kernel_version: record.kernelVersion,
    machine_id: record.machineId,
    machine_type: record.hostType,
    payload: record.payload,
    payload_format_version: record.payloadFormatVersion,
    payload_nul_bytes: countNuls(record.payload),
    record_format_version: record.recordFormatVersion,
    scrubbed_by: record.scrubbedBy,
    severity: record.severity,
    system_name: record.systemName,
    ts_capture: formatTime(new Date(record.capturedAt * 1000)),
    ts_reception: formatTime(record.receivedAt),
    way_in: record.wayIn,
  };
}

export function countNuls(payload: string) {
  let nuls = 0;
  for (let at = payload.indexOf('\0'); at >= 0; at = payload.indexOf('\0', at + 1)) nuls++;
  return nuls;
}

export function formatTime(time: Date) {
  const iso = time.toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

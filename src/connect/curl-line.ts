/** The classification of the test records that this line and the page "Connect machines" post. */
export const TEST_CLASSIFICATION = 'org.example/connect/test';

/** A shell command that posts a record in the header format, as clients do. */
export function curlLine(baseUrl: string, tid: string): string {
  const headers = {
    'X-Telemetry-TID': tid,
    record_format_version: '4',
    classification: TEST_CLASSIFICATION,
    severity: '1',
    machine_id: 'my-first-machine',
    creation_timestamp: '$(date +%s)',
    arch: '$(uname -m)',
    host_type: 'vendor|product|version',
    build: '1',
    kernel_version: '$(uname -r)',
    payload_format_version: '1',
    system_name: 'example',
    board_name: 'board|vendor',
    cpu_model: 'cpu',
    bios_version: '1',
    event_id: `$(od -An -N16 -tx1 /dev/urandom | tr -d ' \\n')`,
  };
  const options = Object.entries(headers).map(([name, value]) => `  -H "${name}: ${value}" \\\n`);
  return `curl -s ${baseUrl}/v2/collector \\\n${options.join('')}  --data-binary 'hello'`;
}

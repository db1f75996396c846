const BUNDLES = [
  ['bootloader', 'os-core', 'os-core-update', 'telemetrics'],
  ['bootloader', 'containers-basic', 'kernel-native', 'network-basic', 'openssh-server', 'os-core', 'telemetrics'],
  ['c-basic', 'desktop', 'desktop-autostart', 'dev-utils', 'editors', 'firefox', 'git', 'os-core', 'os-core-update'],
  ['cloud-api', 'os-core', 'os-core-update', 'os-cloudguest', 'python3-basic', 'sysadmin-basic'],
];

/** What machines say of themselves after they started. */
export function hellos(): string[] {
  return [
    'hello\n',
    'hello\nLC_ALL: C.UTF-8\nuptime: {uptime}\n',
    'hello\nLC_ALL: de_DE.UTF-8\nuptime: {uptime}\n',
    ...BUNDLES.map(bundles => `hello\nuptime: {uptime}\nBundles (${bundles.length}):\n${bundles.join('\n')}\n`),
  ];
}

export function heartbeats(): string[] {
  return ['hello\nLC_ALL: C.UTF-8\nuptime: {uptime}\n', 'hello\nLC_ALL: en_US.UTF-8\nuptime: {uptime}\n'];
}

/** A finished update, as the two generations of the updater report it. */
export function updates(): string[] {
  const newer = 'cmd=update\nresult=0\ncurrent_version={from}\nserver_version={to}\ntime={number}.{number+9}\n';
  return [
    `${newer}bytes={number}{number}{number}\nfiles_updated={number}{number}\n`,
    `${newer}bytes={number}{number}{number}\nfiles_updated={number}{number}\nretries={number+3}\n`,
    'action: update\nfrom_version: {from}\nto_version: {to}\nresult: 0\n',
  ];
}

/** One that failed, and left the machine on the build it had. */
export function failedUpdate(): string {
  return 'cmd=update\nresult=11\ncurrent_version={from}\nserver_version={to}\ntime={number}.{number+9}\nbytes=0\n';
}

/** What services wrote to the journal before they failed. */
export function journalErrors(): string[] {
  return [
    'MESSAGE=backup.service: Main process exited, code=exited, status={number+9}/n/a\n',
    "MESSAGE=docker.service: Failed with result 'exit-code'.\n",
    'MESSAGE=nightly-report.timer: Failed to queue unit startup job: Unit nightly-report.service not found.\n',
    'MESSAGE=Failed to start session-{number}.scope - Session {number} of User analyst.\n',
    'MESSAGE=sd 0:0:0:0: [sda] tag#{number+31} FAILED Result: hostbyte=DID_OK cmd_age={number+30}s\n',
    'MESSAGE=nvme nvme0: I/O tag {number} QID {number+16} timeout, aborting\nMESSAGE=nvme nvme0: Abort status: 0x0\n',
    'MESSAGE=usb 1-{number+9}: device descriptor read/64, error -71\n',
    'MESSAGE=EXT4-fs error (device dm-0): ext4_lookup:1817: inode #{pid}: comm rsync: deleted inode {number}\n',
    'MESSAGE=bluetoothd[{pid}]: profiles/audio/avdtp.c: Unable to get Discover response\n',
    'MESSAGE=sshd[{pid}]: fatal: Timeout before authentication for 203.0.113.{number+250} port {number+9}{number+99}\n',
    'MESSAGE=Druckauftrag {number} auf „Küche“ fehlgeschlagen: Gerät nicht erreichbar\n',
    'MESSAGE=バックアップに失敗しました: デバイスに空き領域がありません ({number} MiB)\n',
    'MESSAGE=Échec du démarrage de réplication.service – délai dépassé après {number} s\n',
    'MESSAGE=audit: type=1400 apparmor="DENIED" operation="open" profile="/usr/sbin/cupsd" pid={pid} comm="cupsd"\n',
    'MESSAGE=dnf-makecache.service: Consumed {number}.{number+9}s CPU time.\nMESSAGE=Failed to start 🐧\n',
  ];
}

import { z } from 'zod';
import { groupRoles, headerName, issuerUrl, proxies } from './access.ts';
import { listeners, listenersToToml } from './listener.ts';
import { programCall, webhookUrl } from './notify.ts';
import { pluginNames } from './plugin-names.ts';
import { classificationRules, days, machineRules, severityRules } from './retention.ts';
import { cronExpression } from './schedule.ts';
import { scrubRules } from './scrub.ts';
import { fleetNames, tids } from './tid.ts';
import {
  bytes,
  bytesOrPercent,
  bytesToToml,
  classificationPatterns,
  directory,
  file,
  integer,
  onOrOff,
  postgresUrl,
  siteUrl,
  sizeToToml,
} from './values.ts';

/** Everything that is known about one setting. Its key and variable name follow from its place below. */
interface Setting<T = unknown> {
  /** Turns a value of TOML or the environment (where it is always text) into the typed value. */
  schema: z.ZodType<T>;
  /** As a file would write it; undefined means unset. */
  default: unknown;
  doc: string;
  /** What is allowed; messages put it after "expected". */
  allowed: string;
  /** The value is masked wherever it is shown. */
  secret?: true;
  /** The right side of a line in TOML. */
  example?: string;
  /** Turns the typed value back into what `schema` takes, if that differs. */
  toToml?(value: T): unknown;
}

const KB = 1024;
const MB = 1024 * KB;
const GB = 1024 * MB;
const SIZE_TEXT = 'as a number of bytes or as text with KB, MB or GB (1 KB = 1024 bytes)';

const PATTERNS_ALLOWED = 'a list of patterns: three parts with "/" between them, each a text or "*"';

/** Every setting, by section. Anything configurable is declared here and nowhere else. */
export const settings = {
  http: {
    listen: setting({
      schema: listeners,
      default: ['127.0.0.1:8080'],
      toToml: listenersToToml,
      doc:
        'Where the server listens. An address after https:// uses the certificate of the section tls. A table says what an ' +
        'address serves: "collector" takes records in, "pages" shows them and answers scripts, "all" does both, "redirect" ' +
        'leads browsers to the pages under https://. In the environment: addresses with commas between them, each optionally ' +
        'ADDRESS=collector, ADDRESS=pages or ADDRESS=redirect.',
      allowed:
        'a list of addresses: HOST:PORT, [IPV6]:PORT, :PORT (all interfaces), one of these after https://, or unix:/PATH, ' +
        'each once',
      example: '[":8080", { address = "unix:/run/telemetricsd/pages.sock", serves = "pages" }]',
    }),
    public_url: setting({
      schema: siteUrl.optional(),
      default: undefined,
      doc:
        'The URL under which machines and people reach this server, if it is not the address it listens on (behind ' +
        'a proxy, say). The page "Connect machines" shows it, and its host is accepted in the Host header.',
      allowed: 'an http:// or https:// URL of a host and optionally a port, without user, path or query',
      example: '"https://telemetry.example.org"',
    }),
  },
  tls: {
    cert: setting({
      schema: file.optional(),
      default: undefined,
      doc:
        'The certificate of the https:// addresses: a PEM file with the certificate of this server first and intermediate ones ' +
        'after it. The server reads it again within seconds after the file changed, and on SIGHUP.',
      allowed: 'the path of a file',
      example: '"/etc/telemetricsd/tls/fullchain.pem"',
    }),
    key: setting({
      schema: file.optional(),
      default: undefined,
      doc: 'The private key of that certificate: a PEM file without a passphrase, which the service alone should be able to read.',
      allowed: 'the path of a file',
      example: '"/etc/telemetricsd/tls/privkey.pem"',
    }),
    client_ca: setting({
      schema: file.optional(),
      default: undefined,
      doc: 'The authorities that sign the certificates of machines, for client_cert_fleets: a PEM file. The server reads it again like cert.',
      allowed: 'the path of a file',
      example: '"/etc/telemetricsd/tls/machines-ca.pem"',
    }),
    client_cert_fleets: setting({
      schema: fleetNames,
      default: [],
      doc:
        'The fleets whose machines must show a certificate signed by client_ca. Without one their records are answered 403, ' +
        'on every address. In the environment: names with commas between them.',
      allowed: 'a list of names from collector.tids',
      example: '["servers"]',
    }),
  },
  access: {
    mode: setting({
      schema: z.enum(['open', 'accounts']).optional(),
      default: undefined,
      doc:
        'Who may see and change things: "accounts" admits people who signed in and scripts with a token, "open" everyone who reaches ' +
        'the server. Left out: "open" while pages are served on loopback addresses and unix sockets only, else "accounts". ' +
        'Machines always send records by their TID.',
      allowed: '"open" or "accounts"',
      example: '"accounts"',
    }),
    allow_open: setting({
      schema: onOrOff,
      default: false,
      doc: 'Allows access.mode = "open" even if other machines reach the pages.',
      allowed: 'true or false',
    }),
    session_idle: setting({
      schema: integer(1, 10_000),
      default: 12,
      doc: 'How many hours without a request end a session.',
      allowed: 'an integer from 1 to 10000',
    }),
    session_days: setting({
      schema: integer(1, 365),
      default: 7,
      doc: 'How many days end a session in any case.',
      allowed: 'an integer from 1 to 365',
    }),
    trusted_header: setting({
      schema: headerName.optional(),
      default: undefined,
      doc:
        'The header in which a reverse proxy names the user whom it authenticated. The proxy must remove this header from what ' +
        'clients send. A new person becomes a viewer.',
      allowed: 'the name of a header',
      example: '"X-Remote-User"',
    }),
    forwarded_header: setting({
      schema: headerName.optional(),
      default: undefined,
      doc:
        'The header in which a reverse proxy says where a request came from, for the audit, sessions and the limits of ' +
        'wrong passwords. The proxy must set it or append to it. Records do not use it.',
      allowed: 'the name of a header',
      example: '"X-Forwarded-For"',
    }),
    trusted_proxies: setting({
      schema: proxies,
      default: [],
      doc:
        'The addresses whose access.trusted_header and access.forwarded_header are believed; "unix" stands for the unix sockets ' +
        'of http.listen.',
      allowed: 'a list of IP addresses, of networks such as 10.0.0.0/8, or "unix"',
      example: '["10.0.0.5", "unix"]',
    }),
  },
  oidc: {
    issuer: setting({
      schema: issuerUrl.optional(),
      default: undefined,
      doc:
        'The OpenID Connect provider where people may sign in, as it names itself. Its redirect URI is ' +
        'PUBLIC_URL/telemetryui/oidc/callback, with http.public_url.',
      allowed: 'an https:// URL (http:// on this host alone)',
      example: '"https://login.example.org/realms/staff"',
    }),
    client_id: setting({
      schema: z.string().min(1).optional(),
      default: undefined,
      doc: 'The name under which the provider knows this server.',
      allowed: 'text',
    }),
    client_secret: setting({
      schema: z.string().min(1).optional(),
      default: undefined,
      secret: true,
      doc: 'The secret that goes with it. Better in the environment, or in a file that the service alone may read.',
      allowed: 'text',
    }),
    groups_claim: setting({
      schema: z.string().min(1),
      default: 'groups',
      doc: 'The claim of the id token that holds the groups of a person.',
      allowed: 'the name of a claim',
    }),
    roles: setting({
      schema: groupRoles,
      default: {},
      doc:
        'The role that a group gives: viewer, analyst or admin; the highest counts. "*" stands for everyone whom the provider ' +
        'knows; without it, people in none of the groups cannot sign in. In the environment: GROUP=ROLE with commas between them.',
      allowed: 'a table of roles by group',
      example: '{ "telemetry-admins" = "admin", "*" = "viewer" }',
    }),
  },
  state: {
    dir: setting({
      schema: directory,
      default: '/var/lib/telemetricsd',
      doc:
        'The directory that holds the data of the built-in PostgreSQL. A relative path ' +
        'starts at the working directory.',
      allowed: 'the path of a directory on a local disk',
    }),
  },
  database: {
    url: setting({
      schema: postgresUrl.optional(),
      default: undefined,
      secret: true,
      doc:
        'A PostgreSQL server (15 or newer) to use. Without it the program runs its own, which needs no care. Keep the ' +
        'file readable by the service alone if the URL holds a password.',
      allowed: 'a URL that starts with postgres:// or postgresql://',
      example: '"postgres://telemetricsd:PASSWORD@db.example.org/telemetricsd?sslmode=require"',
    }),
    connections: setting({
      schema: integer(2, 100),
      default: 8,
      doc: 'How many database connections pages and API may use at once. Taking records in uses others.',
      allowed: 'an integer from 2 to 100',
    }),
  },
  collector: {
    tids: setting({
      schema: tids,
      default: [{ id: '6907c830-eed9-4ce9-81ae-76daf8d88f0f', name: 'default' }],
      doc:
        'The TIDs (the "tidheader" of a machine\'s telemetrics.conf) whose records are taken, each with the name of the ' +
        'fleet it stands for; several may share a name. Records with any other TID are refused. A TID may have limits: "rate" ' +
        '(records a second, ten seconds of them at once), "daily" (records in 24 hours; beyond that, still 1/24 of them an hour) and ' +
        '"networks" that its machines may send from. Records beyond rate or daily are answered 503 and come again later; with ' +
        'over = "drop" they are lost. In the environment, without limits: ID=NAME with commas between them.',
      allowed:
        'a list of at least one { id = "UUID", name = "1 to 40 printable characters" }, each id once; optionally rate = 1 to ' +
        '1000000, daily = 1 to 10000000000, over = "retry" or "drop", networks = [addresses or CIDR networks]',
      example:
        '[{ id = "6907c830-eed9-4ce9-81ae-76daf8d88f0f", name = "desktops", rate = 200, daily = 1000000, networks = ["10.0.0.0/8"] }]',
    }),
    max_payload: setting({
      schema: bytes(KB, 16 * MB),
      default: '300 KB',
      toToml: bytesToToml,
      doc: 'The largest payload of a record that is taken.',
      allowed: `1 KB to 16 MB, ${SIZE_TEXT}`,
    }),
    refuse: setting({
      schema: z.enum(['quarantine', 'strict']),
      default: 'quarantine',
      doc:
        'What happens to a record that cannot be stored. The server refuses it and says why; "quarantine" also keeps it ' +
        'and accepts it when its machine sends it again, so that the machine goes on. "strict" keeps nothing.',
      allowed: '"quarantine" or "strict"',
    }),
    queue: setting({
      schema: integer(100, 1_000_000),
      default: 20_000,
      doc: 'How many records may wait to be committed before new ones are answered 503 and come again later.',
      allowed: 'an integer from 100 to 1000000',
    }),
  },
  quarantine: {
    max_records: setting({
      schema: integer(10, 1_000_000),
      default: 10_000,
      doc: 'How many refused records are kept; beyond that the oldest go.',
      allowed: 'an integer from 10 to 1000000',
    }),
    max_bytes: setting({
      schema: bytes(MB, 10 * GB),
      default: '64 MB',
      toToml: bytesToToml,
      doc: 'How many bytes the refused records may take together; beyond that the oldest go.',
      allowed: `1 MB to 10 GB, ${SIZE_TEXT}`,
    }),
  },
  privacy: {
    scrub: setting({
      schema: scrubRules,
      default: [],
      doc:
        'What is taken out of payloads before they are stored, since they may hold secrets: rules, applied one after ' +
        'the other. Each has a name, the classifications it is for ("*" stands for any one part; left out: all), a regular ' +
        'expression in the syntax of RE2, and what replaces a match (left out: "[scrubbed]"; $1 is the ' +
        'first group). In the environment: the list as JSON.',
      allowed: 'a list of { name = "…", classification = "…", pattern = "…", replacement = "…" }, each name once',
      example:
        '[{ name = "tokens", classification = "*/crash/*", pattern = \'(?i)(token|password)=\\S+\', replacement = "$1=[scrubbed]" }]',
    }),
  },
  retention: {
    days: setting({
      schema: days,
      default: 35,
      doc: 'How many days a record is kept if no rule below matches it. 0 keeps it for ever.',
      allowed: 'an integer from 0 (for ever) to 36500',
    }),
    severity: setting({
      schema: severityRules,
      default: {},
      doc:
        'How many days records of a severity are kept; 0: for ever. Where several rules fit a record, the shortest one that is ' +
        'not for ever counts. In the environment: SEVERITY=DAYS with commas between them.',
      allowed: 'a table of days by severity from 1 to 4',
      example: '{ 1 = 5, 4 = 0 }',
    }),
    classification: setting({
      schema: classificationRules,
      default: {},
      doc:
        'How many days records of a classification are kept; 0: for ever. "*" stands for any one part. In the environment: ' +
        'CLASSIFICATION=DAYS with commas between them.',
      allowed: 'a table of days by classification: three parts with "/" between them, each a text or "*"',
      example: '{ "org.clearlinux/mce/*" = 0, "org.clearlinux/heartbeat/ping" = 1 }',
    }),
    machine_id: setting({
      schema: machineRules,
      default: {},
      doc:
        'How many days records of a machine id are kept; 0: for ever. In the environment: MACHINE_ID=DAYS with commas ' +
        'between them.',
      allowed: 'a table of days by machine id (1 to 32 characters)',
      example: '{ "0123456789abcdef0123456789abcdef" = 365 }',
    }),
    counters: setting({
      schema: days,
      default: 400,
      doc:
        'How many days the counters behind the charts are kept. They say what was received, even after the records are ' +
        'gone. 0 keeps them for ever.',
      allowed: 'an integer from 0 (for ever) to 36500',
    }),
    max_bytes: setting({
      schema: bytesOrPercent(100 * MB, 1024 * 1024 * GB).optional(),
      default: undefined,
      toToml: sizeToToml,
      doc:
        'How large the database may become. Beyond that the oldest days go early, except those with records to be kept for ' +
        'ever. Left out: no limit.',
      allowed: `100 MB to 1048576 GB, ${SIZE_TEXT}, or a part of the file system of state.dir such as "60 %"`,
      example: '"200 GB"',
    }),
    schedule: setting({
      schema: cronExpression,
      default: '30 4 * * *',
      doc: 'When old records are purged: a cron expression (minute, hour, day, month, weekday) in UTC.',
      allowed: 'a cron expression of five fields',
    }),
  },
  backup: {
    dir: setting({
      schema: directory.optional(),
      default: undefined,
      doc:
        'The directory for scheduled backups, best on another disk; without it there are none. The user ' +
        'that runs telemetricsd must be able to write there.',
      allowed: 'the path of a directory',
      example: '"/var/backups/telemetricsd"',
    }),
    schedule: setting({
      schema: cronExpression,
      default: '30 3 * * *',
      doc: 'When a backup is made, in UTC.',
      allowed: 'a cron expression of five fields',
    }),
    keep: setting({
      schema: integer(1, 1000),
      default: 7,
      doc: 'How many of those backups are kept; the oldest go once a new one is complete.',
      allowed: 'an integer from 1 to 1000',
    }),
  },
  disk: {
    reserve: setting({
      schema: bytesOrPercent(0, 1024 * GB).optional(),
      default: undefined,
      toToml: sizeToToml,
      doc:
        'With the built-in PostgreSQL: while less than this is free on the file system of state.dir, records are answered 503 and ' +
        'come again later, so that the database does not fail; pages keep working. Left out: 5 % of the file system, at most ' +
        '1 GB. 0 switches this off.',
      allowed: `0 to 1024 GB, ${SIZE_TEXT}, or a part of the file system such as "5 %"`,
      example: '"2 GB"',
    }),
  },
  crashes: {
    classifications: setting({
      schema: classificationPatterns,
      default: [
        'org.clearlinux/crash/clr',
        '*/crash/error',
        'org.clearlinux/kernel/bug',
        'org.clearlinux/kernel/stackoverflow',
        'org.clearlinux/kernel/warning',
        '*/kernel/panic',
        'crash/kernel/bug',
        'crash/kernel/warning',
        'crash/kernel/stackoverflow',
        'telemetricsd/coredump/crash',
        'abrt/*/report',
        'telemetricsd/kernel/bug',
        'telemetricsd/kernel/lockup',
        'telemetricsd/kernel/oops',
        'telemetricsd/kernel/warning',
      ],
      doc:
        'The classifications whose payloads hold backtraces and are analysed as crashes. "*" stands for any one part. ' +
        'In the environment: patterns with commas between them.',
      allowed: PATTERNS_ALLOWED,
    }),
  },
  heartbeat: {
    classifications: setting({
      schema: classificationPatterns,
      default: ['*/heartbeat/ping'],
      doc:
        'The classifications of heartbeats, which a machine sends once a day. Rates are per 1,000 machine-days on which one came. ' +
        'After a change "rebuild-counters" counts those received before.',
      allowed: PATTERNS_ALLOWED,
    }),
  },
  machine_checks: {
    classifications: setting({
      schema: classificationPatterns,
      default: ['*/mce/corrected', '*/mce/uncorrected', '*/mce/SRAO', '*/mce/SRAR', '*/mce/UCNA'],
      doc:
        'The classifications of machine checks, which the MCE page shows. After a change "rebuild-counters" counts those ' +
        'received before.',
      allowed: PATTERNS_ALLOWED,
    }),
  },
  thermal: {
    classifications: setting({
      schema: classificationPatterns,
      default: ['*/mce/thermal'],
      doc: 'The classifications of thermal events.',
      allowed: PATTERNS_ALLOWED,
    }),
  },
  updates: {
    classifications: setting({
      schema: classificationPatterns,
      default: ['*/swupd-client/update', 'telemetricsd/update/os'],
      doc:
        'The classifications of updates, whose payloads name the builds before and after. After a change ' +
        '"rebuild-counters" counts those received before.',
      allowed: PATTERNS_ALLOWED,
    }),
  },
  plugins: {
    enabled: setting({
      schema: pluginNames,
      default: [],
      doc:
        'The view plugins that are loaded, in the order of their tabs: names of directories in the directory "plugins" ' +
        'beside the configuration file. SIGHUP reads this setting and loads them again.',
      allowed: 'a list of names of 1 to 40 characters of a-z, 0-9, "-" and "_", each once',
      example: '["kernels"]',
    }),
    database_url: setting({
      schema: postgresUrl.optional(),
      default: undefined,
      secret: true,
      doc:
        'With database.url: the same database with a role of its own, which plugins read as. telemetricsd grants it the right ' +
        'to read; plugins are left out if it may write, or read more. The built-in PostgreSQL needs no such setting.',
      allowed: 'a URL that starts with postgres:// or postgresql://',
      example: '"postgres://telemetricsd_plugins:PASSWORD@db.example.org/telemetricsd"',
    }),
  },
  parsers: {
    enabled: setting({
      schema: pluginNames,
      default: [],
      doc:
        'The payload parsers that are loaded beside those that the program brings: NAME stands for NAME.ts, NAME.js or ' +
        'NAME/main.ts in the directory "parsers" beside the configuration file. SIGHUP reads this setting and loads them again. Servers that share ' +
        'a database need the same ones.',
      allowed: 'a list of names of 1 to 40 characters of a-z, 0-9, "-" and "_", each once',
      example: '["journal"]',
    }),
  },
  notify: {
    webhook: setting({
      schema: webhookUrl.optional(),
      default: undefined,
      secret: true,
      doc:
        'A URL that notices are posted to as JSON: data stopped arriving, the database is away, quarantine grows, a purge or backup ' +
        'failed, the disk is nearly full, the certificate expires soon, a new guilty on many machines, a limit dropped records. Redirects are not followed.',
      allowed: 'an http:// or https:// URL without a user',
      example: '"https://chat.example.org/hooks/TOKEN"',
    }),
    command: setting({
      schema: programCall.optional(),
      default: undefined,
      secret: true,
      doc:
        'A program that is run for each notice and reads it as JSON from its stdin; no shell is involved. It has 10 seconds. In the ' +
        'environment: its path and arguments with commas between them.',
      allowed: 'a list of the absolute path of a program and its arguments',
      example: '["/usr/local/bin/page-admin", "--quiet"]',
    }),
    repeat_hours: setting({
      schema: integer(1, 8760),
      default: 24,
      doc: 'After how many hours the same notice is sent again, while its cause lasts.',
      allowed: 'an integer from 1 to 8760',
    }),
    hourly: setting({
      schema: integer(1, 1000),
      default: 10,
      doc: 'How many notices are sent within an hour at most; the others wait.',
      allowed: 'an integer from 1 to 1000',
    }),
    guilty_machines: setting({
      schema: integer(0, 1_000_000),
      default: 10,
      doc: 'A guilty that was never seen before yesterday is a notice if it is on more machines than this. 0: never.',
      allowed: 'an integer from 0 to 1000000',
    }),
  },
  log: {
    level: setting({
      schema: z.enum(['error', 'warn', 'info', 'debug']),
      default: 'info',
      doc: 'What is logged on stderr: this level and graver ones.',
      allowed: '"error", "warn", "info" or "debug"',
    }),
    format: setting({
      schema: z.enum(['text', 'json']),
      default: 'text',
      doc: 'How a line of the log looks.',
      allowed: '"text" or "json"',
    }),
    access: setting({
      schema: z.enum(['off', 'pages', 'all']),
      default: 'off',
      doc:
        'Logs a line for each answer (level "info") with method, path, status, time taken, address and user: those of pages and ' +
        'API, or also those to what machines post.',
      allowed: '"off", "pages" or "all"',
    }),
  },
};

/** The configuration: `config.http.listen`, `config.collector.max_payload`, … */
export type Config = {
  [S in keyof typeof settings]: {
    [K in keyof (typeof settings)[S]]: (typeof settings)[S][K] extends Setting<infer T> ? T : never;
  };
};

export interface DeclaredSetting {
  /** `collector.max_payload` */
  key: string;
  section: string;
  name: string;
  /** `TELEMETRICSD_COLLECTOR_MAX_PAYLOAD` */
  variable: string;
  setting: Setting;
}

export const VARIABLE_PREFIX = 'TELEMETRICSD_';

/** The declarations as a list, in the order of the text above. */
export const declaredSettings: DeclaredSetting[] = Object.entries(settings).flatMap(([section, members]) =>
  Object.entries(members).map(([name, declared]) => ({
    key: `${section}.${name}`,
    section,
    name,
    variable: `${VARIABLE_PREFIX}${section}_${name}`.toUpperCase(),
    setting: declared as Setting,
  })),
);

function setting<T>(declared: Setting<T>): Setting<T> {
  return declared;
}

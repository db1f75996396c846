import { describe, expect, test } from 'bun:test';
import { sampleFleet } from '../../src/demo/fleet.ts';
import type { FleetRecord } from '../../src/demo/fleet-day.ts';
import { explainFleet, faultsOf } from '../../src/demo/truth.ts';
import { rateOf } from '../../src/rates/rate.ts';
import type { Report } from '../../src/records/record.ts';
import { processorMs } from '../time.ts';

const UNTIL = new Date('2026-11-23T15:40:00Z');
const DAY = 86_400_000;
type FleetOptions = Parameters<typeof sampleFleet>[0];

const OPTIONS: FleetOptions = { records: 60_000, machines: 1200, days: 35, seed: 1, until: UNTIL, fleets: 3 };

function all(options: Partial<FleetOptions> = {}): FleetRecord[] {
  return sampleFleet({ ...OPTIONS, ...options }).flatMap(day => [...day.records()]);
}

const records = all();
const reports = records.map(({ report }) => report);

describe('the sample fleet as a whole', () => {
  test('is the same for the same options, also when a day is taken twice or alone', () => {
    const digest = (some: Iterable<FleetRecord>) => Bun.hash(JSON.stringify([...some]));
    const options = { ...OPTIONS, records: 6000, machines: 600 };
    const whole = digest(all(options));
    expect(digest(all(options))).toBe(whole);
    const days = sampleFleet(options);
    const alone = digest(days[20]!.records());
    expect(digest(sampleFleet(options)[20]!.records())).toBe(alone);
    expect(digest(days[20]!.records())).toBe(alone);
    expect(digest(all({ ...options, seed: options.seed + 1 }))).not.toBe(whole);
  });

  test.each([
    { records: 0 },
    { records: 1 },
    { records: 999, days: 1 },
    { records: 5000, machines: 1 },
    { records: 3000, machines: 2, days: 400 },
    { records: 2000, until: new Date('2026-11-23T00:00:00Z') },
    { records: 2000, until: new Date('2026-11-23T00:00:00.001Z'), days: 1 },
    { records: 2000, seed: 4_000_000_000, fleets: 1 },
  ])('has exactly the records asked for, in order, within their days: %j', options => {
    const wanted = { ...OPTIONS, ...options };
    const days = sampleFleet(wanted);
    expect(days).toHaveLength(wanted.days);
    expect(days.at(-1)!.day).toBe(new Date(wanted.until.getTime() - 1).toISOString().slice(0, 10));
    let count = 0;
    const keys = new Set<string>();
    for (const { day, records } of days) {
      let before = Date.parse(day);
      for (const record of records()) {
        count++;
        expect(record.receivedAt).toBeGreaterThanOrEqual(before);
        expect(record.receivedAt).toBeLessThan(Date.parse(day) + DAY);
        expect(record.receivedAt).toBeLessThanOrEqual(wanted.until.getTime());
        expect(record.fleetIndex >= 0 && record.fleetIndex < wanted.fleets).toBe(true);
        before = record.receivedAt;
        keys.add(identity(record.report));
      }
    }
    expect(count).toBe(wanted.records);
    expect(keys.size).toBe(count);
  });

  test('is generated as it is taken', () => {
    const started = process.cpuUsage();
    const days = sampleFleet({ ...OPTIONS, records: 50_000_000, machines: 20_000 });
    for (const { records } of days) for (const _ of records()) break;
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(5000);
  });

  test('is quick', () => {
    const ms = processorMs(() => {
      let characters = 0;
      for (const { records } of sampleFleet(OPTIONS))
        for (const { report } of records()) characters += report.payload.length;
      expect(characters).toBeGreaterThan(0);
    });
    expect(OPTIONS.records / (ms / 1000)).toBeGreaterThan(20_000);
  });

  test('has more records by day than by night, and fewer at weekends', () => {
    const hour = (from: number, to: number) =>
      records.filter(({ receivedAt }) => {
        const now = new Date(receivedAt).getUTCHours();
        return now >= from && now < to;
      }).length;
    expect(hour(9, 15)).toBeGreaterThan(2 * hour(0, 6));
    const counts = new Map(sampleFleet(OPTIONS).map(({ day, records }) => [day, [...records()].length]));
    expect(counts.get('2026-11-15')!).toBeLessThan(0.75 * counts.get('2026-11-17')!);
    expect(counts.get('2026-11-23')!).toBeLessThan(counts.get('2026-11-17')!);
  });
});

describe('its records', () => {
  test('no two would count as one sent twice', () => {
    expect(new Set(reports.map(identity)).size).toBe(reports.length);
    const dense = all({ records: 40_000, machines: 40, days: 2 }).map(({ report }) => identity(report));
    expect(new Set(dense).size).toBe(dense.length);
  });

  test('each is one that a client may send', () => {
    const mistakes = reports.flatMap(report =>
      mistakesIn(report).map(mistake => `${mistake}: ${JSON.stringify(report)}`),
    );
    expect(mistakes.slice(0, 3)).toEqual([]);
  });

  test('every class occurs, with its severity', () => {
    const severities = new Map(reports.map(({ classification, severity }) => [classification, severity]));
    expect(Object.fromEntries([...severities].sort())).toEqual({
      'crash/kernel/bug': 2,
      'crash/kernel/warning': 2,
      'org.clearlinux/bert/debug': 2,
      'org.clearlinux/crash/clr': 3,
      'org.clearlinux/crash/clr-build': 2,
      'org.clearlinux/crash/error': 4,
      'org.clearlinux/crash/unknown': 2,
      'org.clearlinux/heartbeat/ping': 1,
      'org.clearlinux/hello/world': 1,
      'org.clearlinux/journal/error': 2,
      'org.clearlinux/kernel/bug': 4,
      'org.clearlinux/kernel/panic': 4,
      'org.clearlinux/kernel/stackoverflow': 4,
      'org.clearlinux/kernel/warning': 2,
      'org.clearlinux/mce/SRAO': 3,
      'org.clearlinux/mce/SRAR': 4,
      'org.clearlinux/mce/UCNA': 2,
      'org.clearlinux/mce/corrected': 1,
      'org.clearlinux/mce/thermal': 1,
      'org.clearlinux/swupd-client/update': 1,
    });
    const share = (part: string) =>
      reports.filter(report => report.classification.includes(part)).length / reports.length;
    expect(share('/heartbeat/')).toBeGreaterThan(0.5);
    expect(share('/crash/clr') + share('kernel/')).toBeCloseTo(0.11, 1);
  });

  test('each format lacks what it lacks', () => {
    expect(new Set(reports.map(({ recordFormatVersion }) => recordFormatVersion))).toEqual(new Set([1, 2, 3, 4]));
    for (const report of reports) {
      const version = report.recordFormatVersion;
      expect(report.payloadFormatVersion === null).toBe(version < 2);
      expect(report.systemName === '').toBe(version < 2);
      expect(report.boardName === null && report.cpuModel === null && report.biosVersion === null).toBe(version < 3);
      expect(report.eventId === null).toBe(version < 4);
    }
  });

  test('were captured shortly before, or spooled for up to 20 hours, but for a few wrong clocks', () => {
    const waits = records.map(({ report, receivedAt }) => Math.floor(receivedAt / 1000) - report.capturedAt);
    const within = (from: number, to: number) => waits.filter(wait => wait >= from && wait <= to).length / waits.length;
    expect(within(0, 5)).toBeGreaterThan(0.95);
    expect(within(6, 72_000)).toBeGreaterThan(0.005);
    expect(within(0, 72_000)).toBeGreaterThan(0.98);
    expect(within(0, 72_000)).toBeLessThan(1);
  });

  test('crashes carry backtraces of every sort, at most 64 frames a thread', () => {
    const crashes = payloads('org.clearlinux/crash/clr');
    for (const sort of [/_ZN\w+I\w+E\w*\(\)/, /_ZNK?St/, /^#\d+ \?\?\? - /m, /@@GLIBC_2\.34/, /^Too many frames/m]) {
      expect(crashes.some(payload => sort.test(payload))).toBe(true);
    }
    expect(crashes.every(payload => /^Process: \/\S+\nPID: \d+\nSignal: \d+\n/.test(payload))).toBe(true);
    expect(crashes.some(payload => payload.split('Backtrace (TID ').length > 2)).toBe(true);
    expect(Math.max(...crashes.flatMap(frameNumbers))).toBe(63);
    const stacks = Map.groupBy(crashes, payload => payload.replaceAll(/(TID|PID:) \d+/g, ''));
    expect(stacks.size).toBeGreaterThan(40);
    const sizes = [...stacks.values()].map(same => same.length).sort((a, b) => b - a);
    expect(sizes[0]!).toBeGreaterThan(8 * sizes[40]!);
  });

  test('oopses number their frames from 1, and some are unreliable or lie in modules', () => {
    const oopses = [...payloads('org.clearlinux/kernel/warning'), ...payloads('org.clearlinux/kernel/bug')];
    expect(oopses.every(payload => /^Crash Report:\nReason: .+\nKernel Version : .+\nTainted : /.test(payload))).toBe(
      true,
    );
    expect(oopses.some(payload => /^#\d+ \? \w+ - \[kernel\]$/m.test(payload))).toBe(true);
    expect(oopses.some(payload => /^#1 \w+ - \[(?!kernel)\w+\]$/m.test(payload))).toBe(true);
    expect(oopses.some(payload => !payload.includes('Backtrace'))).toBe(true);
  });

  test('some payloads are not ASCII', () => {
    expect(reports.filter(({ payload }) => Buffer.byteLength(payload) > payload.length).length).toBeGreaterThan(100);
  });
});

describe('its machines', () => {
  test('change their ids every 3 days, but for those with a name', () => {
    const spans = new Map<string, [first: number, last: number]>();
    for (const report of reports) {
      const span = spans.get(report.machineId);
      const at = report.capturedAt;
      spans.set(report.machineId, [Math.min(at, span?.[0] ?? at), Math.max(at, span?.[1] ?? at)]);
    }
    const named = [...spans.keys()].filter(id => !/^[0-9a-f]{32}$/.test(id));
    expect(named.length).toBeGreaterThan(0.01 * OPTIONS.machines);
    expect(named.length).toBeLessThan(0.03 * OPTIONS.machines);
    expect(named.some(id => spans.get(id)![1] - spans.get(id)![0] > 10 * 86_400)).toBe(true);
    const rotating = [...spans].filter(([id]) => !named.includes(id)).map(([, [first, last]]) => last - first);
    expect(Math.max(...rotating)).toBeLessThan(3 * 86_400);
    expect(rotating.length).toBeGreaterThan(2 * OPTIONS.machines);
  });

  test('only ever move to newer builds', () => {
    const busy = all({ machines: 300, days: 60 }).map(({ report }) => report);
    let moves = 0;
    for (const own of Map.groupBy(busy, ({ machineId }) => machineId).values()) {
      own.sort((a, b) => a.capturedAt - b.capturedAt);
      own.slice(1).forEach((later, index) => {
        const order = Bun.semver.order(threeParts(later.build), threeParts(own[index]!.build));
        expect(order).toBeGreaterThanOrEqual(0);
        moves += order;
      });
    }
    expect(moves).toBeGreaterThan(200);
  });

  test('report the update that brought their build, once', () => {
    const updates = reports.filter(
      ({ classification, payload }) => classification.endsWith('/update') && !isFailed(payload),
    );
    expect(updates.length).toBeGreaterThan(0.02 * reports.length);
    const forms = new Set<string>();
    for (const { payload, build, systemName } of updates) {
      const known = /^.+\n.+\ncurrent_version=(\d+)\nserver_version=(\d+)\n/.exec(payload);
      const other = /^from_version: (\d+)\nto_version: (\d+)$/m.exec(payload);
      const [, from, to] = (known ?? other)!;
      expect(Number(from)).toBeLessThan(Number(to));
      expect(to).toBe(build);
      expect(['clear-linux-os', '']).toContain(systemName);
      forms.add(known ? 'known' : 'other');
    }
    expect(forms.size).toBe(2);
    const sameDay = updates.map(({ machineId, build }) => machineId + build);
    expect(new Set(sameDay).size).toBe(sameDay.length);
  });

  test('crash more with a bad build, whose own crash begins and ends with it', () => {
    const clear = reports.filter(({ systemName }) => systemName === 'clear-linux-os');
    const crashing = clear.filter(({ classification }) => classification === 'org.clearlinux/crash/clr');
    const guilty = crashing.filter(({ payload }) => payload.includes('meta_window_get_work_area'));
    const bad = new Set(guilty.map(({ build }) => build));
    expect(bad.size).toBe(3);
    const rate = (wanted: boolean) =>
      crashing.filter(({ build }) => bad.has(build) === wanted).length /
      clear.filter(({ build }) => bad.has(build) === wanted).length;
    expect(rate(true)).toBeGreaterThan(2 * rate(false));
    expect(clear.some(({ build }) => Number(build) > Math.max(...[...bad].map(Number)))).toBe(true);
  });

  test('run several systems, and a few of them make most machine checks', () => {
    const systems = new Set(reports.map(({ systemName }) => systemName));
    expect([...systems].sort()).toEqual(
      ['', 'arch', 'clear-linux-os', 'debian', 'fedora', 'opensuse-tumbleweed', 'ubuntu'].sort(),
    );
    const checks = reports.filter(({ classification }) => /\/mce\/(corrected|SRAO|SRAR|UCNA)$/.test(classification));
    const kinds = Map.groupBy(checks, ({ hostType, systemName, biosVersion }) => hostType + systemName + biosVersion);
    const most = [...kinds.values()].map(same => same.length).sort((a, b) => b - a);
    expect(most.slice(0, 20).reduce((sum, count) => sum + count)).toBeGreaterThan(0.6 * checks.length);
    const external = reports.filter(report => report.external).length / reports.length;
    expect(external).toBeCloseTo(0.15, 1);
  });
});

const isFailed = (payload: string) => /^result=[1-9]/m.test(payload);

describe('what there is to find in it', () => {
  const day = (at: number) => Math.floor(at / DAY);
  const isAmd = ({ cpuModel }: Report) => /AMD|Ryzen|EPYC/.test(cpuModel ?? '');

  /** Machines on builds of clear-linux-os that crashed, each once in 3 days, and machine-days with a heartbeat. */
  function rateOn(isMeant: (report: Report) => boolean, of = '/crash/clr') {
    const days = new Set<string>();
    const periods = new Set<string>();
    const affected = new Set<string>();
    for (const { report, receivedAt } of records) {
      const { machineId, build, classification, payload, systemName } = report;
      if (systemName !== 'clear-linux-os' || !isMeant(report)) continue;
      const period = `${machineId} ${Math.floor(day(receivedAt) / 3)}`;
      if (classification.endsWith('/heartbeat/ping')) {
        days.add(`${machineId} ${build} ${day(receivedAt)}`);
        periods.add(period);
      } else if (classification.endsWith(of) && (of !== '/update' || isFailed(payload)))
        affected.add(`${period} ${build}`);
    }
    const exposed = [...affected].filter(one => periods.has(one.split(' ', 2).join(' ')));
    return rateOf(exposed.length, days.size);
  }

  const faults = faultsOf(OPTIONS).filter(({ os }) => os === 'clear-linux-os');
  const spoiled = new Set(faults.map(({ build }) => build));
  const usual = rateOn(({ build }) => !spoiled.has(build)).perThousand!.rate;

  test('each machine that runs sends one heartbeat a day', () => {
    const beats = records.filter(({ report }) => report.classification.endsWith('/heartbeat/ping'));
    const kept = new Set(beats.map(({ report, receivedAt }) => `${report.machineId} ${day(receivedAt)}`));
    expect(kept.size / beats.length).toBeGreaterThan(0.97);
    const wednesday = beats.filter(({ receivedAt }) => day(receivedAt) === day(Date.parse('2026-11-18'))).length;
    expect(wednesday / OPTIONS.machines).toBeGreaterThan(0.8);
    expect(wednesday / OPTIONS.machines).toBeLessThan(0.96);
  });

  test.each(faults.filter(({ crashes }) => crashes !== 1))(
    'programs crash as often as it says: %j',
    ({ build, crashes }) => {
      const { low, high } = rateOn(report => report.build === build).perThousand!;
      // A machine that crashes on two days of 3 counts once, so that the worse a build is, the less of it is seen.
      const expected = (1_000 * (1 - (1 - (crashes * usual) / 1_000) ** 2)) / 2;
      expect(expected).toBeGreaterThan(low);
      expect(expected).toBeLessThan(high);
    },
  );

  test('one build is bad on the processors of one vendor alone', () => {
    const { build, crashesOnAmd } = faults.find(fault => fault.crashes === 1 && fault.crashesOnAmd > 1)!;
    const amd = rateOn(report => report.build === build && isAmd(report)).perThousand!;
    const others = rateOn(report => report.build === build && !isAmd(report)).perThousand!;
    expect(crashesOnAmd).toBe(4);
    expect(amd.low).toBeGreaterThan(others.rate);
    expect(amd.high).toBeGreaterThan(crashesOnAmd * usual);
    expect(usual).toBeGreaterThan(others.low);
    expect(usual).toBeLessThan(others.high);
  });

  test('updates on one way fail', () => {
    const { previous, failing } = faults.find(fault => fault.failing > 0.1)!;
    const onIt = rateOn(({ build }) => build === previous, '/update').perThousand!;
    const elsewhere = rateOn(({ build }) => build !== previous, '/update').perThousand!;
    expect(failing).toBe(0.4);
    expect(onIt.low).toBeGreaterThan(3 * elsewhere.high);
  });

  test('is told in words', () => {
    const text = explainFleet(OPTIONS);
    for (const { os, build } of faults) expect(text).toContain(`${os} ${build} `);
    expect(text).toContain('2 times as often');
  });
});

function identity({ machineId, eventId, classification, capturedAt, payload }: Report): string {
  return JSON.stringify([machineId, eventId, classification, capturedAt, payload]);
}

function payloads(classification: string): string[] {
  return reports.filter(report => report.classification === classification).map(({ payload }) => payload);
}

function frameNumbers(payload: string): number[] {
  return [...payload.matchAll(/^#(\d+) /gm)].map(([, number]) => Number(number));
}

/** `24.04.1` as semver has it: no leading zeros, three parts. */
function threeParts(build: string): string {
  const [major = 0, minor = 0, patch = 0] = build === 'rolling' ? [] : build.split('.').map(Number);
  return `${major}.${minor}.${patch}`;
}

function mistakesIn(report: Report): string[] {
  const printable = (text: string | null, most: number) =>
    text === null || (text.length >= 1 && text.length < most && /^\P{C}+$/u.test(text));
  const rules: Record<string, boolean> = {
    classification: /^[^/]{1,40}\/[^/]{1,40}\/[^/]{1,40}$/.test(report.classification),
    'classification length': printable(report.classification, 123),
    severity: [1, 2, 3, 4].includes(report.severity),
    'machine id': printable(report.machineId, 33),
    'capture time': Number.isInteger(report.capturedAt) && report.capturedAt >= 0 && report.capturedAt <= 253402300799,
    arch: /^[A-Za-z0-9_.-]{1,32}$/.test(report.arch),
    'host type': printable(report.hostType, 250) && report.hostType.includes('|'),
    build: (report.systemName === 'clear-linux-os' ? /^[0-9]+$/ : /^[-_a-zA-Z0-9.]+$/).test(report.build),
    kernel: printable(report.kernelVersion, 200) && /^\d+\.\d+/.test(report.kernelVersion),
    'system name': /^[a-z0-9._-]*$/.test(report.systemName),
    'board name': printable(report.boardName, 200),
    'cpu model': printable(report.cpuModel, 200),
    'bios version': printable(report.biosVersion, 200),
    'event id': report.eventId === null || /^[0-9a-f]{32}$/.test(report.eventId),
    payload: report.payload.length > 0 && Buffer.byteLength(report.payload) <= 8187,
    'payload text': report.payload.isWellFormed() && !/\{\w+\}|undefined|NaN|\0/.test(report.payload),
  };
  return Object.keys(rules).filter(rule => !rules[rule]);
}

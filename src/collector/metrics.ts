import type { Unreadable } from '../http/unreadable.ts';

/** Upper bounds of the histograms. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];
const RECORDS = [1, 4, 16, 64, 256, 512];

/** What this process's collector did since it started. */
export interface CollectorMetrics {
  /** A request on the collector's addresses was answered. */
  answered(status: number, seconds: number): void;
  /** The result of a request with a known TID. */
  received(fleet: string, result: string): void;
  /** A request could not be read as HTTP and was answered before it reached the collector. */
  unreadable(request: Unreadable): void;
  /** A batch was committed. */
  committed(records: number, seconds: number): void;
  /** Requests with a known TID, counted by result. */
  results(): Map<string, number>;
  /** Unreadable requests that began like a record's. */
  unreadablePosts(): UnreadablePosts;
  lines(): string[];
}

/** Since the process started; `last` holds the newest of each address, newest first. */
export interface UnreadablePosts {
  requests: number;
  last: { address: string | null; reason: string; at: Date }[];
}

const LAST_UNREADABLE = 10;

export function collectorMetrics(): CollectorMetrics {
  const answers = new Map<number, number>();
  const results = new Map<string, Map<string, number>>();
  const unreadable = { post: 0, other: 0 };
  let lastUnreadable: UnreadablePosts['last'] = [];
  const answerSeconds = histogram('telemetricsd_answer_seconds', 'Time to answer a request to the collector.', SECONDS);
  const batchRecords = histogram('telemetricsd_batch_records', 'Records committed together.', RECORDS);
  const batchSeconds = histogram('telemetricsd_batch_seconds', 'Time to commit a batch.', SECONDS);
  return {
    answered(status, seconds) {
      answers.set(status, (answers.get(status) ?? 0) + 1);
      answerSeconds.observe(seconds);
    },
    received(fleet, result) {
      const ofFleet = results.get(fleet) ?? new Map<string, number>();
      ofFleet.set(result, (ofFleet.get(result) ?? 0) + 1);
      results.set(fleet, ofFleet);
    },
    unreadable({ address, reason, isPost }) {
      unreadable[isPost ? 'post' : 'other']++;
      if (!isPost) return;
      const others = lastUnreadable.filter(one => one.address !== address);
      lastUnreadable = [{ address, reason, at: new Date() }, ...others].slice(0, LAST_UNREADABLE);
    },
    unreadablePosts: () => ({ requests: unreadable.post, last: lastUnreadable }),
    committed(records, seconds) {
      batchRecords.observe(records);
      batchSeconds.observe(seconds);
    },
    results() {
      const all = new Map<string, number>();
      for (const ofFleet of results.values())
        for (const [result, n] of ofFleet) all.set(result, (all.get(result) ?? 0) + n);
      return all;
    },
    lines: () => [
      ...metric(
        'telemetricsd_answers_total',
        'counter',
        'Answers of the collector by HTTP status.',
        [...answers].map(([status, n]): Sample => [`{status="${status}"}`, n]),
      ),
      ...metric(
        'telemetricsd_requests_total',
        'counter',
        'Requests with a known TID by fleet and what became of their records.',
        [...results].flatMap(([fleet, ofFleet]) =>
          [...ofFleet].map(([result, n]): Sample => [`{fleet="${escaped(fleet)}",result="${result}"}`, n]),
        ),
      ),
      ...metric(
        'telemetricsd_unreadable_requests_total',
        'counter',
        'Requests that could not be read as HTTP, by how they began: like a record (post), or not.',
        Object.entries(unreadable).map(([began, n]): Sample => [`{began="${began}"}`, n]),
      ),
      ...answerSeconds.lines(),
      ...batchRecords.lines(),
      ...batchSeconds.lines(),
    ],
  };
}

/** Labels in braces, or '', and the value. */
export type Sample = [labels: string, value: number];

/** One metric in the text format of Prometheus. */
export function metric(name: string, type: 'counter' | 'gauge', help: string, samples: Sample[]): string[] {
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(([labels, value]) => `${name}${labels} ${value}`),
  ];
}

/** Escapes a text for use as a label's value. */
function escaped(text: string) {
  return text.replaceAll(/[\\"]/g, String.raw`\$&`);
}

function histogram(name: string, help: string, bounds: number[]) {
  const counts = new Array<number>(bounds.length).fill(0);
  let [count, sum] = [0, 0];
  return {
    observe(value: number) {
      count++;
      sum += value;
      const place = bounds.findIndex(bound => value <= bound);
      if (place >= 0) counts[place]!++;
    },
    lines(): string[] {
      let below = 0;
      const buckets = bounds.map((bound, n) => {
        below += counts[n]!;
        return `${name}_bucket{le="${bound}"} ${below}`;
      });
      return [
        `# HELP ${name} ${help}`,
        `# TYPE ${name} histogram`,
        ...buckets,
        `${name}_bucket{le="+Inf"} ${count}`,
        `${name}_sum ${sum}`,
        `${name}_count ${count}`,
      ];
    },
  };
}

import { zValidator } from '@hono/zod-validator';
import { Hono } from 'hono';
import { z } from 'zod';
import { Arrivals } from '../views/arrivals.tsx';
import { ConnectPage } from '../views/connect.tsx';
import { isHttps, type Listener, takesRecords } from './config/listener.ts';
import type { Config } from './config/settings.ts';
import { curlLine } from './curl-line.ts';
import type { Sql } from './db/connect.ts';
import { RequestError } from './errors.ts';
import type { MakeFrame } from './frame.ts';
import { newestRecordId } from './records/queries.ts';
import { searchRecords } from './records/search.ts';
import { firstProblem, idParam } from './validation.ts';

const ARRIVALS = 10;
const PAYLOAD_BEGINNING = 200;

const COMMANDS = [
  { what: 'Restart the client, so that it reads its configuration again:', line: 'sudo telemctl restart' },
  {
    what: 'Let it send a test record:',
    line: 'telem-record-gen -c org.example/connect/test -s 1 -p "hello from $(hostname)"',
  },
];

/** The page that tells how to point machines at this server, and shows their first records arriving. */
export function connectPages(sql: Sql, config: Config, frame: MakeFrame) {
  const since = zValidator('query', z.object({ since: idParam }), result => {
    if (!result.success) throw new RequestError(400, firstProblem(result.error, result.data));
  });
  return new Hono()
    .get('/', since, async c => {
      const { since: opened } = c.req.valid('query');
      const latest = opened ?? (await newestRecordId(sql));
      const base = baseUrl(config, new URL(c.req.url));
      return c.html(
        <ConnectPage
          frame={await frame(c)}
          serverUrl={`${base}/v2/collector`}
          tids={config.collector.tids}
          commands={COMMANDS}
          curl={curlLine(base, config.collector.tids[0]!.id)}
          latest={latest}
          arrived={opened === undefined ? [] : await arrivals(sql, latest)}
          reachable={config.http.public_url !== undefined || config.http.listen.some(isReachable)}
        />,
      );
    })
    .get('/arrivals', since, async c => {
      const { since: latest = 0 } = c.req.valid('query');
      const records = await arrivals(sql, latest);
      return c.html(<Arrivals since={latest} records={records} waiting={records.length === 0} />);
    });
}

function arrivals(sql: Sql, latest: number) {
  const options = { limit: ARRIVALS, order: 'oldest', payloadBeginning: PAYLOAD_BEGINNING } as const;
  return searchRecords(sql, { fromId: latest + 1 }, options);
}

/** Where machines reach the collector: the public URL, else the host by which this page was reached, at a listener that takes records. */
function baseUrl({ http }: Config, requested: URL) {
  if (http.public_url) return http.public_url;
  const port = Number(requested.port || (requested.protocol === 'https:' ? 443 : 80));
  const here = http.listen.find(listener => listener.serves === 'all' && portOf(listener) === port);
  const collector = here ?? http.listen.find(listener => takesRecords(listener) && portOf(listener));
  if (!collector) return requested.origin;
  return new URL(`${isHttps(collector) ? 'https' : 'http'}://${requested.hostname}:${portOf(collector)}`).origin;
}

function portOf(listener: Listener) {
  return 'port' in listener ? listener.port : undefined;
}

function isReachable(listener: Listener) {
  return takesRecords(listener) && 'host' in listener && !/^(localhost|127\..*|::1)$/.test(listener.host);
}

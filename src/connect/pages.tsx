import { isIP } from 'node:net';
import { Hono } from 'hono';
import { z } from 'zod';
import { ConnectPage, pathOfWay, WAYS } from '../../views/connect/connect.tsx';
import type { Installer } from '../../views/connect/systemd.tsx';
import { Arrivals } from '../../views/overview/arrivals.tsx';
import { isLoopback } from '../config/access-mode.ts';
import { type Listener, takesRecords, urlOf } from '../config/listener.ts';
import type { Config } from '../config/settings.ts';
import type { Sql } from '../db/connect.ts';
import { CRASH_FIELDS, installer } from '../probe/files.ts';
import { SENDS } from '../probe/sends.ts';
import { newestRecordId } from '../records/queries.ts';
import { searchRecords } from '../records/search.ts';
import { idParam, valid } from '../validation.ts';
import type { Site } from '../web/site.ts';
import { curlLine, TEST_CLASSIFICATION } from './curl-line.ts';

const ARRIVALS = 10;
const PAYLOAD_BEGINNING = 200;
const DEFAULT_PORT = 8080;

const COMMANDS = [
  { what: 'Opt in: without, clients since 2.3 send nothing (1.x has no such command):', line: 'sudo telemctl opt-in' },
  { what: 'Restart the client, so that it reads its configuration again:', line: 'sudo telemctl restart' },
  {
    what: 'Let it send a test record:',
    line: `telem-record-gen -c ${TEST_CLASSIFICATION} -s 1 -p "hello from $(hostname)"`,
  },
];

/** The page that tells how to point machines at this server, and shows their first records arriving. */
export function connectPages({ sql, config, frame }: Site) {
  const opened = z.object({ since: idParam, way: z.enum(WAYS).default('systemd') });
  return new Hono()
    .get('/', valid('query', opened), async c => {
      const { since, way } = c.req.valid('query');
      const latest = since ?? (await newestRecordId(sql));
      const { base, named } = collectorUrl(config, new URL(c.req.url));
      return c.html(
        <ConnectPage
          frame={await frame(c)}
          way={way}
          path={pathOfWay(way)}
          installers={way === 'systemd' ? installersOf(config, base) : []}
          servers={config.collector.tids.map(({ id, name }) => ({ tid: id, fleet: name, url: `${base}/abrt/${id}` }))}
          sends={SENDS}
          crashFields={CRASH_FIELDS}
          serverUrl={`${base}/v2/collector`}
          toResolve={named}
          tids={config.collector.tids}
          commands={COMMANDS}
          curl={curlLine(base, config.collector.tids[0]!.id)}
          latest={latest}
          arrived={since === undefined ? [] : await arrivals(sql, latest)}
          loopbackPort={loopbackPort(config)}
        />,
      );
    })
    .get('/arrivals', valid('query', opened), async c => {
      const { since: latest = 0 } = c.req.valid('query');
      const records = await arrivals(sql, latest);
      return c.html(<Arrivals since={latest} records={records} waiting={records.length === 0} />);
    });
}

function installersOf({ collector }: Config, base: string): Installer[] {
  return collector.tids.map(({ id, name }) => ({
    tid: id,
    fleet: name,
    url: `${base}/probe/${id}`,
    sha256: new Bun.CryptoHasher('sha256').update(installer(base, id)).digest('hex'),
  }));
}

async function arrivals(sql: Sql, latest: number) {
  const options = { limit: ARRIVALS, order: 'oldest', payloadBeginning: PAYLOAD_BEGINNING } as const;
  return (await searchRecords(sql, { fromId: latest + 1 }, options)).records;
}

/**
 * Where machines reach the collector: the public URL, else the host by which this page was reached, at a listener that takes records.
 * A loopback name is of no use to them: where a listener is open to them, it is `named` by its own host, or by that of this machine.
 */
function collectorUrl({ http }: Config, requested: URL): { base: string; named?: string } {
  if (http.public_url) return { base: http.public_url };
  const port = Number(requested.port || (requested.protocol === 'https:' ? 443 : 80));
  const collectors = http.listen.filter(takesRecords).filter(overTcp);
  const here = collectors.find(listener => listener.serves === 'all' && listener.port === port);
  const candidates = [...(here ? [here] : []), ...collectors.filter(listener => listener.port)];
  const asked = requested.hostname.replaceAll(/[[\]]/g, '');
  const open = isLoopback(asked) && candidates.find(isReachable);
  if (open) {
    const { origin, hostname } = new URL(urlOf(open));
    return { base: origin, ...(!isIP(hostname.replaceAll(/[[\]]/g, '')) && { named: hostname }) };
  }
  const [collector] = candidates;
  if (!collector) return { base: requested.origin };
  return { base: new URL(urlOf({ ...collector, host: asked })).origin };
}

/** Undefined where other machines can reach the server, as far as its settings say. */
function loopbackPort({ http }: Config): number | undefined {
  if (http.public_url !== undefined || http.listen.some(isReachable)) return undefined;
  return http.listen.filter(overTcp)[0]?.port ?? DEFAULT_PORT;
}

function overTcp(listener: Listener) {
  return 'port' in listener;
}

function isReachable(listener: Listener) {
  return takesRecords(listener) && 'host' in listener && !isLoopback(listener.host);
}

import { Hono } from 'hono';
import { z } from 'zod';
import { MachinePage } from '../../views/machines/machine.tsx';
import { machinePath } from '../../views/parts/links.ts';
import { RequestError } from '../errors.ts';
import { readPage } from '../records/paging.ts';
import { idParam, textParam, valid } from '../validation.ts';
import type { Site } from '../web/site.ts';
import { buildsOfMachine } from './queries.ts';

const PAGE_SIZE = 50;
const COUNTED = 10_000;
const BUILDS = 12;

const machineQuery = z.object({ before_id: idParam, after_id: idParam });
const machineParam = z.object({ id: textParam(32) });

/** Everything that one machine id reported, newest first. */
export function machinePages({ sql, searcher, frame }: Site) {
  return new Hono().get('/:id', valid('query', machineQuery), valid('param', machineParam), async c => {
    const { id = '' } = c.req.valid('param');
    const query = c.req.valid('query');
    const filter = { machineId: id };
    const [made, page, found, builds] = await Promise.all([
      frame(c),
      readPage(searcher, filter, query, PAGE_SIZE),
      searcher.count(filter, COUNTED),
      buildsOfMachine(sql, id, BUILDS),
    ]);
    if (found.n === 0 && builds.length === 0) throw new RequestError(404, `no machine with the id ${id} ever reported`);
    const { records, newer, older } = page;
    return c.html(
      <MachinePage
        frame={made}
        machineId={id}
        found={found}
        builds={[...builds]}
        records={records}
        newerHref={newer ? `${machinePath(id)}?after_id=${records[0]?.id ?? 0}` : undefined}
        olderHref={older ? `${machinePath(id)}?before_id=${records.at(-1)?.id}` : undefined}
      />,
    );
  });
}

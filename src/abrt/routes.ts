import { type Context, Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { guiltyPath } from '../../views/crashes/links.ts';
import { recordsPath } from '../../views/parts/links.ts';
import type { Collector } from '../collector/collector.ts';
import { type Answer, type Gate, gateOf } from '../collector/gate.ts';
import { type Listener, servesPages } from '../config/listener.ts';
import type { Config } from '../config/settings.ts';
import { keepAttachment, MOST_ATTACHMENTS, stackOfHash } from '../crashes/attachments.ts';
import { stackHashOf } from '../crashes/payload-hash.ts';
import type { Sql } from '../db/connect.ts';
import { RequestError } from '../errors.ts';
import type { Fleet } from '../fleets.ts';
import type { Peer } from '../http/peer.ts';
import type { Log } from '../log.ts';
import { pagesUrl } from '../notify/pages-url.ts';
import { tokenBucket } from '../token-bucket.ts';
import { baseOfRequest } from '../web/base.ts';
import { answerToError } from '../web/error-response.tsx';
import { checked, readAttachment } from './attachment.ts';
import { fileOfForm } from './form-file.ts';

type AbrtContext = Context<{ Bindings: Peer }>;

/** Of the form around a report. */
const FORM_BYTES = 16 * 1024;
const ATTACHMENT_BYTES = 64 * 1024;
const HASH = /^[0-9a-f]{32}$/i;

export interface AbrtOptions {
  config: Config;
  collector: Collector;
  sql: Sql;
  log: Log;
  listener: Listener;
}

/**
 * What ABRT's own server answers, for `URL = https://HOST/abrt/TID` in a machine's ureport.conf: `POST /:tid/reports/new/` takes a
 * µReport, 202 once it is committed; `POST /:tid/reports/attach/` takes a link or a comment on what was reported;
 * `GET /:tid/reports/bthash/HASH` leads to the page of its guilty. Errors are `{"error": …}`: libreport makes nothing of other answers.
 */
export function abrtRoutes(options: AbrtOptions) {
  const { config, collector, log } = options;
  const gate = gateOf(collector, config);
  const app = new Hono<{ Bindings: Peer }>();
  app.use('/:tid/reports/new/*', async (c, next) => {
    const started = performance.now();
    await next();
    if (c.req.method === 'POST') collector.metrics.answered(c.res.status, (performance.now() - started) / 1000);
  });
  app.on('POST', ['/:tid/reports/new', '/:tid/reports/new/'], c => newReport(c, options, gate));
  app.on('POST', ['/:tid/reports/attach', '/:tid/reports/attach/'], attach(options, gate));
  app.on('GET', ['/:tid/reports/bthash/:hash', '/:tid/reports/bthash/:hash/'], async c => {
    fleetOf(c, collector);
    return c.redirect(await pageOfHash(options, c.req.param('hash')!), 302);
  });
  app.onError((error, c) => {
    if (error instanceof HTTPException) return error.getResponse();
    const { status, message, headers } = answerToError(error, { method: c.req.method, path: c.req.path }, log);
    // To libreport, 500 says no more than that the server is broken.
    return c.json({ error: message }, status === 500 ? 503 : status, headers);
  });
  return app;
}

async function newReport(c: AbrtContext, { config, collector }: AbrtOptions, gate: Gate): Promise<Response> {
  const fleet = fleetOf(c, collector);
  const peer = c.env ?? {};
  const answer = await gate.pass(fleet, peer, async () => {
    const body = await fileOfForm(c.req.raw, config.collector.max_payload + FORM_BYTES);
    const headers = c.req.raw.headers.toJSON();
    return collector.receive({
      fleet,
      form: collector.forms.ureport,
      headers,
      body,
      address: () => peer.address ?? null,
    });
  });
  return respond(c, answer, hash => {
    const base = baseOfRequest(config, c);
    return base === undefined ? undefined : `${base}/abrt/${fleet.tid}/reports/bthash/${hash}`;
  });
}

/** Where people find what a hash stands for. */
async function pageOfHash({ sql, config, listener }: AbrtOptions, hash: string): Promise<string> {
  const stack = HASH.test(hash) ? await stackOfHash(sql, hash) : undefined;
  if (!stack) throw new RequestError(404, 'no report of this hash has been analysed here: look again in a minute');
  const path = stack.guiltyId === null ? recordsPath({ stack: String(stack.id) }) : guiltyPath(stack.guiltyId);
  if (servesPages(listener)) return path;
  const pages = pagesUrl(config);
  if (pages === undefined)
    throw new RequestError(404, `this address takes records, and no other has pages; there it is at ${path}`);
  return `${pages.replace(/\/$/, '')}${path}`;
}

/** Bounds what is attached, whatever the limits of a TID: a person has written it. */
const ATTACHMENTS_A_SECOND = 1;

function attach({ collector, sql, config }: AbrtOptions, gate: Gate) {
  const buckets = new Map(config.collector.tids.map(({ id }) => [id, tokenBucket(ATTACHMENTS_A_SECOND)]));
  return async (c: AbrtContext) => {
    const fleet = fleetOf(c, collector);
    const turned = gate.turnAway(fleet, c.env ?? {});
    if (turned) return respond(c, turned, () => undefined);
    if (!buckets.get(fleet.tid)!.take(performance.now()))
      throw new RequestError(
        503,
        `this TID may attach ${ATTACHMENTS_A_SECOND} link or comment a second and attaches more; try again later`,
      );
    const attachment = readAttachment(await fileOfForm(c.req.raw, ATTACHMENT_BYTES));
    if (attachment === 'dropped') return c.json({ result: true, message: 'Addresses of people are not kept.' }, 202);
    const kept = await keepAttachment(sql, checked({ ...attachment, text: await collector.scrub(attachment.text) }));
    if (kept === 'unknown')
      throw new RequestError(400, 'bthash: no report of this hash has been analysed here; try again in a minute');
    return c.json(
      {
        result: true,
        message: kept === 'full' ? `It is not kept: ${MOST_ATTACHMENTS} are there already.` : 'It is kept.',
      },
      202,
    );
  };
}

function fleetOf(c: AbrtContext, collector: Collector): Fleet {
  const fleet = collector.fleetOf(c.req.param('tid')!);
  if (fleet) return fleet;
  if (c.req.method === 'POST')
    collector.astray.note({ path: c.req.path, address: c.env?.address ?? null, hasTid: true });
  throw new RequestError(404, 'this TID is unknown here: see Connect machines for the right address');
}

function respond(c: AbrtContext, answer: Answer, urlOf: (hash: string) => string | undefined): Response {
  switch (answer.kind) {
    case 'stored': {
      const bthash = stackHashOf(answer.record.payload);
      const value = urlOf(bthash);
      return c.json(
        {
          result: false,
          message: 'The report is stored.',
          bthash,
          reported_to: value === undefined ? [] : [{ reporter: 'ABRT Server', type: 'url', value }],
          solutions: [],
        },
        202,
      );
    }
    case 'dropped':
      return c.json({ result: false, message: answer.message, reported_to: [], solutions: [] }, 202);
    case 'oversized':
      return c.json(
        { error: `the µReport is too large, expected at most ${answer.most} bytes (collector.max_payload)` },
        413,
      );
    case 'refused':
      return c.json({ error: answer.refusal.message }, 400);
    case 'forbidden':
      return c.json({ error: answer.message }, 403);
    case 'postponed':
      return c.json({ error: answer.message }, 503, { 'Retry-After': String(answer.retryAfterSeconds) });
    case 'unsupported':
    case 'corrupt':
      return c.json({ error: answer.message }, 400);
  }
}

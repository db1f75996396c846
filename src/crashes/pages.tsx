import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { BacktracesPage } from '../../views/crashes/backtraces.tsx';
import { CrashesPage } from '../../views/crashes/crashes.tsx';
import { FailedAnalysesPage } from '../../views/crashes/failed.tsx';
import { COMMENT_LENGTH } from '../../views/crashes/forms.tsx';
import { GuiltyPage } from '../../views/crashes/guilty.tsx';
import { HiddenGuiltiesPage } from '../../views/crashes/hidden.tsx';
import {
  backtracesPath,
  type CrashFilter,
  crashesPath,
  failedPath,
  guiltyPath,
  hiddenInPath,
  hiddenPath,
  withOffset,
} from '../../views/crashes/links.ts';
import { actorOf, recordAudit } from '../audit/audit.ts';
import { drawnBuilds } from '../builds/drawn.ts';
import type { Queryable } from '../db/connect.ts';
import { retryWork } from '../db/work-queue.ts';
import { listFleets } from '../records/queries.ts';
import { formOf, idParam, integerParam, parseOrRefuse, queryOf, readQuery, textParam, valid } from '../validation.ts';
import type { Site } from '../web/site.ts';
import { aliasesOf } from './aliases.ts';
import { guiltyOf } from './api.ts';
import { attachmentsOf } from './attachments.ts';
import { guiltyBuilds } from './guilty-builds.ts';
import {
  buildsSeen,
  commentGuilty,
  countHidden,
  crashingSystems,
  type GuiltyRow,
  guiltyByDay,
  guiltyTotals,
  hiddenGuilties,
  hideGuilty,
} from './queries.ts';
import { countFailed, listFailed, queueState } from './queue.ts';
import { crashesByBuild, crashShares, guiltyShares } from './shares.ts';
import { backtraceOf } from './shown.ts';
import { countStacks, guiltyStacks } from './stack-queries.ts';
import { type CrashQuery, crashQuery, GUILTIES_A_PAGE, scopeOf, topCrashes } from './top.ts';

const STACKS_A_PAGE = 10;
const LIST_PAGE = 50;
const GUILTY_BUILDS = 40;
const PROGRAMS_SHOWN = 5;
const ALIASES_SHOWN = 100;

/** Top crashes, a guilty, its backtraces, hidden guilties and failed analyses. */
export function crashPages({ sql, config, frame, onWork }: Site) {
  return new Hono()
    .get('/', c => top(c, undefined))
    .get('/overall', c => top(c, undefined))
    .get('/failed', valid('query', pageQuery), async c => {
      const { offset = 0 } = c.req.valid('query');
      const [failures, total] = await Promise.all([listFailed(sql, LIST_PAGE, offset), countFailed(sql)]);
      return c.html(
        <FailedAnalysesPage
          frame={await frame(c)}
          failures={[...failures]}
          total={total}
          {...around(failedPath, offset, total, LIST_PAGE)}
        />,
      );
    })
    .get('/guilty_edit/hidden', valid('query', crashQuery), async c => {
      const query = c.req.valid('query');
      const { os, fleet, days, build, offset = 0 } = query;
      const isNarrowed = [os, fleet, days, build].some(value => value !== undefined);
      const scope = isNarrowed ? { ...scopeOf(query), build } : undefined;
      const filter = isNarrowed ? filterOf(query) : undefined;
      const [guilties, total] = await Promise.all([
        hiddenGuilties(sql, scope, LIST_PAGE, offset),
        countHidden(sql, scope),
      ]);
      return c.html(
        <HiddenGuiltiesPage
          frame={await frame(c)}
          filter={filter}
          guilties={[...guilties]}
          total={total}
          {...around(filter ? hiddenInPath(filter) : hiddenPath, offset, total, LIST_PAGE)}
        />,
      );
    })
    .get('/guilty_details/:id', async c => {
      const guilty = await guiltyOf(sql, c.req.param('id'));
      if (isMoved(c, guilty)) return c.redirect(movedTo(c, guiltyPath(guilty.id)), 302);
      const { query: asked, errors } = filterQuery(queryOf(c));
      const scope = scopeOf(asked);
      const [systems, fleets, drawn, onSystems, totals, days, builds, hostTypes, seenOn, aliases, attachments] =
        await Promise.all([
          crashingSystems(sql),
          listFleets(sql),
          drawnBuilds(sql, scope),
          guiltyShares(sql, guilty.id, 'system_name', { ...scope, systemName: undefined }),
          guiltyTotals(sql, guilty.id, scope),
          guiltyByDay(sql, guilty.id, scope),
          guiltyBuilds(sql, guilty.id, scope, GUILTY_BUILDS, asked.sort),
          guiltyShares(sql, guilty.id, 'host_type', scope),
          buildsSeen(sql, scope, [guilty.id]),
          aliasesOf(sql, guilty.id, ALIASES_SHOWN),
          attachmentsOf(sql, { guiltyId: guilty.id }),
        ]);
      return c.html(
        <GuiltyPage
          frame={await frame(c)}
          guilty={{
            ...guilty,
            firstSeen: totals.firstDay,
            lastSeen: totals.lastDay,
            lastSeenAnywhere: totals.lastDayAnywhere,
            aliases: [...aliases],
            seenOn: [...seenOn],
          }}
          filter={filterOf(asked)}
          errors={errors}
          systems={systems}
          fleets={fleets}
          records={totals.records}
          machines={totals.machines}
          days={[...days]}
          builds={builds}
          drawn={drawn}
          hostTypes={hostTypes}
          onSystems={onSystems}
          attachments={[...attachments]}
        />,
        errors ? 400 : 200,
      );
    })
    .get('/guilty_details/:id/backtraces', valid('query', crashQuery), async c => {
      const guilty = await guiltyOf(sql, c.req.param('id'));
      if (isMoved(c, guilty)) return c.redirect(movedTo(c, backtracesPath(guilty.id)), 302);
      const query = c.req.valid('query');
      const offset = query.offset ?? 0;
      const only = { ...scopeOf(query), machineId: query.machine_id, build: query.build };
      const [stacks, totals] = await Promise.all([
        guiltyStacks(sql, guilty.id, { ...only, limit: STACKS_A_PAGE, offset }),
        countStacks(sql, guilty.id, only),
      ]);
      const filter = filterOf(query);
      const { higherHref, lowerHref } = ranks(
        backtracesPath(guilty.id, filter),
        offset,
        STACKS_A_PAGE,
        offset + STACKS_A_PAGE < totals.stacks,
      );
      return c.html(
        <BacktracesPage
          frame={await frame(c)}
          guilty={guilty}
          filter={filter}
          stacks={stacks.map(({ programs, ...stack }) => ({
            ...stack,
            ...backtraceOf(stack),
            programs: programs.slice(0, PROGRAMS_SHOWN),
            otherPrograms: Math.max(0, programs.length - PROGRAMS_SHOWN),
          }))}
          firstStack={offset + 1}
          totalStacks={totals.stacks}
          totalRecords={totals.records}
          moreHref={lowerHref}
          fewerHref={higherHref}
        />,
      );
    })
    .get('/:build', c => top(c, c.req.param('build')))
    .post('/comments', async c => {
      const { id, comment = '', back } = parseOrRefuse(commentForm, await formOf(c));
      const guilty = await guiltyOf(sql, String(id));
      await sql.begin(tx => setComment(c, tx, guilty, comment));
      return c.redirect(backTo(back), 303);
    })
    .post('/hidings', c => hide(c, true))
    .post('/unhidings', c => hide(c, false))
    .post('/retries', async c => {
      const { id, back } = parseOrRefuse(retryForm, await formOf(c));
      await retryWork(sql, id === undefined ? sql`kind = 'crash'` : sql`kind = 'crash' and record_id = ${id}`);
      const subject = id === undefined ? 'all failed crash records' : `crash record ${id}`;
      await recordAudit(sql, actorOf(c), { action: 'retried', subject });
      onWork();
      return c.redirect(backTo(back, failedPath), 303);
    });

  async function top(c: Context, build: string | undefined) {
    const { query: asked, errors } = filterQuery({ ...queryOf(c), ...(build !== undefined && { build }) });
    const offset = asked.offset ?? 0;
    const scope = { ...scopeOf(asked), build: asked.build };
    const [page, fleets, state, hidden, byClassification] = await Promise.all([
      topCrashes(sql, asked, GUILTIES_A_PAGE),
      listFleets(sql),
      queueState(sql),
      countHidden(sql, scope),
      crashShares(sql, scope, shareOf(config.crashes.classifications)),
    ]);
    const byBuild = await crashesByBuild(sql, scope, page.builds);
    const filter = filterOf(asked);
    return c.html(
      <CrashesPage
        frame={await frame(c)}
        filter={filter}
        errors={errors}
        systems={page.systems}
        fleets={fleets}
        builds={page.builds}
        guilties={errors ? [] : page.guilties}
        leftOut={page.leftOut}
        firstRank={offset + 1}
        {...ranks(crashesPath(filter), offset, GUILTIES_A_PAGE, page.more)}
        hidden={hidden}
        byClassification={byClassification}
        byBuild={byBuild}
        waiting={state.waiting}
        failed={state.failed}
        classifications={config.crashes.classifications}
      />,
      errors ? 400 : 200,
    );
  }

  async function hide(c: Context, hidden: boolean) {
    const form = await formOf(c);
    const { id, comment = '', back } = parseOrRefuse(commentForm, form);
    const guilty = await guiltyOf(sql, String(id));
    await sql.begin(async tx => {
      if ('comment' in form) await setComment(c, tx, guilty, comment);
      await hideGuilty(tx, guilty.id, hidden);
      await recordAudit(tx, actorOf(c), { action: hidden ? 'hid' : 'showed again', subject: subjectOf(guilty) });
    });
    return c.redirect(backTo(back), 303);
  }
}

/** The address is that of a guilty whose crashes are all put down to another now. */
function isMoved(c: Context, guilty: GuiltyRow): boolean {
  return Number(c.req.param('id')) !== guilty.id;
}

function movedTo(c: Context, path: string): string {
  return `${path}${new URL(c.req.url).search}`;
}

async function setComment(c: Context, tx: Queryable, guilty: GuiltyRow, text: string) {
  const comment = text.trim();
  if (comment === guilty.comment) return;
  await commentGuilty(tx, guilty.id, comment);
  const [before, after] = [{ comment: guilty.comment }, { comment }];
  await recordAudit(tx, actorOf(c), { action: 'commented', subject: subjectOf(guilty), before, after });
}

function subjectOf({ id, function: name, module }: GuiltyRow) {
  return `guilty ${id}: ${name}${module ? ` in ${module}` : ''}`;
}

const pageQuery = z.object({ offset: integerParam(0, 1_000_000) });
const retryForm = z.object({ id: idParam, back: textParam(2000) });
const commentForm = retryForm
  .extend({ comment: textParam(COMMENT_LENGTH) })
  .refine(({ id }) => id !== undefined, { error: 'expected the id of a guilty', path: ['id'] });

const FORM_FIELDS = new Set(['os', 'days', 'fleet', 'sort']);

/** Mistakes in fields that the filter form shows are told there; any other is refused. */
function filterQuery(raw: Record<string, string | string[]>) {
  const { query, errors } = readQuery(crashQuery, raw);
  if (Object.keys(errors ?? {}).some(name => !FORM_FIELDS.has(name))) parseOrRefuse(crashQuery, raw);
  return { query, errors };
}

function filterOf(query: CrashQuery): CrashFilter {
  const { os, days, fleet, sort, build, machine_id } = query;
  return { os, days, fleet, sort, build, machine_id };
}

/** Crashes with and without backtraces share DOMAIN/PROBE with one of the classifications that hold backtraces. */
function shareOf(patterns: readonly string[]): string[] {
  return [...new Set(patterns.map(pattern => pattern.replace(/[^/]+$/, '*')))];
}

function ranks(path: string, offset: number, size: number, more: boolean) {
  return {
    higherHref: offset > 0 ? withOffset(path, offset - size) : undefined,
    lowerHref: more ? withOffset(path, offset + size) : undefined,
  };
}

function around(path: string, offset: number, total: number, size: number) {
  const { higherHref, lowerHref } = ranks(path, offset, size, offset + size < total);
  return { newerHref: higherHref, olderHref: lowerHref };
}

/** Only to our own crash pages: a form field can't send anyone elsewhere. */
function backTo(back: string | undefined, otherwise = '/telemetryui/crashes') {
  return back !== undefined && /^\/telemetryui\/crashes(?:[/?][!-~]*)?$/.test(back) ? back : otherwise;
}

import type { Sql } from '../../src/db/connect.ts';

/**
 * What the catalogue says of our schema, as text that a review can read: tables with their columns, constraints, indexes and triggers,
 * then views, sequences, types and functions without their bodies, all by name. Of partitions only the defaults are named.
 */
export async function describeSchema(sql: Sql): Promise<string> {
  const parts = await Promise.all([
    describeTables(sql),
    describeViews(sql),
    describeSequences(sql),
    describeTypes(sql),
    describeFunctions(sql),
  ]);
  return `${parts.flat().join('\n')}\n`;
}

async function describeTables(sql: Sql): Promise<string[]> {
  const tables = await sql<{ text: string }[]>`
    select concat_ws(E'\n  ',
             concat_ws(' ', case when relpersistence = 'u' then 'unlogged' end, 'table', relname,
                            'partition by ' || pg_get_partkeydef(c.oid),
                            'with (' || array_to_string(reloptions, ', ') || ')'),
             (select string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod),
                                          case when attcollation <> 0 and attcollation <> typcollation then 'collate ' || quote_ident(collname) end,
                                          case when attnotnull then 'not null' end,
                                          'default ' || pg_get_expr(adbin, adrelid),
                                          case when attidentity <> '' then 'identity' end), E'\n  ' order by attnum)
                from pg_attribute a
                join pg_type t on t.oid = atttypid
                left join pg_attrdef on adrelid = attrelid and adnum = attnum
                left join pg_collation l on l.oid = attcollation
               where attrelid = c.oid and attnum > 0 and not attisdropped),
             (select string_agg(conname || ': ' || pg_get_constraintdef(oid), E'\n  ' order by conname)
                from pg_constraint where conrelid = c.oid and contype <> 'n'),
             (select string_agg('default partition ' || inhrelid::regclass, E'\n  ')
                from pg_inherits join pg_class p on p.oid = inhrelid
               where inhparent = c.oid and pg_get_expr(p.relpartbound, p.oid) = 'DEFAULT'),
             (select string_agg(case when indisunique then 'unique ' else '' end || 'index ' || indexrelid::regclass || ': ' || regexp_replace(pg_get_indexdef(indexrelid), '^.* USING ', ''),
                                E'\n  ' order by indexrelid::regclass::text)
                from pg_index i where indrelid = c.oid and not exists (select from pg_constraint where conindid = indexrelid)),
             (select string_agg(pg_get_triggerdef(oid), E'\n  ' order by tgname)
                from pg_trigger where tgrelid = c.oid and not tgisinternal)) as text
      from pg_class c
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
     order by relname`;
  return tables.map(({ text }) => text);
}

async function describeViews(sql: Sql): Promise<string[]> {
  const views = await sql<{ text: string }[]>`
    select format(E'view %s\n%s', relname, pg_get_viewdef(oid)) as text
      from pg_class where relnamespace = 'public'::regnamespace and relkind = 'v' order by relname`;
  return views.map(({ text }) => text);
}

async function describeSequences(sql: Sql): Promise<string[]> {
  const sequences = await sql<{ text: string }[]>`
    select format('sequence %s %s from %s to %s', seqrelid::regclass, seqtypid::regtype, seqmin, seqmax) as text
      from pg_sequence order by seqrelid::regclass::text`;
  return sequences.map(({ text }) => text);
}

async function describeTypes(sql: Sql): Promise<string[]> {
  const types = await sql<{ text: string }[]>`
    select format('type %s (%s)', relname, string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' order by attnum)) as text
      from pg_class c join pg_attribute on attrelid = c.oid
     where relnamespace = 'public'::regnamespace and relkind = 'c'
     group by relname order by relname`;
  return types.map(({ text }) => text);
}

/** What a function takes, returns and is set to; its body is in sql/. Those of extensions are left out. */
async function describeFunctions(sql: Sql): Promise<string[]> {
  const functions = await sql<{ definition: string }[]>`
    select pg_get_functiondef(oid) as definition
      from pg_proc p
     where pronamespace = 'public'::regnamespace and not exists (select from pg_depend where objid = p.oid and deptype = 'e')
     order by p.oid::regprocedure::text`;
  return functions.map(({ definition }) => {
    const [, head = ''] = /^CREATE OR REPLACE FUNCTION public\.(.*?)\s*^AS \$/ms.exec(definition) ?? [];
    return `function ${head.replaceAll(/\s*\n\s*/g, ' ').replaceAll(' SET ', '\n  SET ')}`;
  });
}

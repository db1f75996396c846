/** A number of a page, and where it leads to see what it counts. */
export interface LinkedNumber {
  href: string;
  n: number;
  unit: 'records' | 'machines';
}

interface Link {
  href: string;
  text: string;
  /** A build that is called by a number, or an id. */
  isName: boolean;
}

interface Cell {
  /** What the number in it counts, as its column or its title says. */
  head: string;
  kind: 'name' | 'guilty' | 'number' | 'figure' | 'item' | 'other';
  text: string;
  links: Link[];
}

const NUMBER = /^[\d,]+$/;

/** A column of what a name that is a link in the same row leads to. */
const OF_NAME = /^(records|updates|machines)$/i;

/**
 * The numbers of a page that are links, or stand in a row whose name is one, unless that is a guilty and `besideGuilties` false: of
 * tables, figures and lists; and `Hidden (3)`.
 */
export function linkedNumbers(html: string, besideGuilties = true): LinkedNumber[] {
  const { rows, links } = readPage(html);
  const inRows = rows.flatMap(({ label, cells }) => {
    const name = cells.find(({ kind }) => kind === 'name' || (kind === 'guilty' && besideGuilties))?.links[0];
    return cells.flatMap(({ kind, head, text, links: own }) => {
      const unit = /\b(machines|machine ids)\b/i.test(head) || (/machine ids/i.test(label) && !/record/i.test(head));
      const number = (href: string, n: string) => ({
        href,
        text: n,
        unit: unit ? ('machines' as const) : ('records' as const),
      });
      const linked = own
        .filter(({ isName, text: n }) => !isName && NUMBER.test(n))
        .map(link => number(link.href, link.text));
      if (linked.length > 0) return linked;
      if (kind === 'item') return own.map(({ href }) => number(href, text.match(/([\d,]+) ×$/)?.[1] ?? ''));
      return kind === 'number' && name && OF_NAME.test(head) ? [number(name.href, text)] : [];
    });
  });
  const inBrackets = links.map(({ href, text }) => ({
    href,
    text: text.match(/^[A-Z][a-z]+ \(([\d,]+)\)$/)?.[1] ?? '',
    unit: 'records' as const,
  }));
  return [...inRows, ...inBrackets]
    .filter(({ text }) => NUMBER.test(text))
    .map(({ href, text, unit }) => ({ href, n: numberOf(text), unit }));
}

interface Row {
  /** Of its table. */
  label: string;
  cells: Cell[];
}

/** Goes through the elements of a page in their order. */
function readPage(html: string) {
  const rows: Row[] = [];
  const links: Link[] = [];
  const now = { label: '', title: '', place: 0, inHead: false, isOfBars: false };
  let heads: string[] = [];
  let cell: Cell | undefined;

  function begin(kind: Cell['kind'], head: string, row = rows.at(-1)!) {
    cell = { head, kind, text: '', links: [] };
    row.cells.push(cell);
  }

  function addRow(label: string): Row {
    const row = { label, cells: [] };
    rows.push(row);
    return row;
  }

  function beginCell(look: string, scope: string | null) {
    if (now.inHead) return heads.push('');
    const isName = now.isOfBars && scope === 'row';
    const kind = isName ? 'name' : look.includes('guilty-cell') ? 'guilty' : look.includes('num') ? 'number' : 'other';
    begin(kind, heads[now.place++] ?? '');
  }

  new HTMLRewriter()
    .on('main section', {
      element(section) {
        now.label = section.getAttribute('aria-label') ?? now.label;
      },
    })
    .on('main h2', {
      element() {
        now.title = '';
      },
      text({ text }) {
        now.title += text;
      },
    })
    .on('main table', {
      element(table) {
        now.isOfBars = table.getAttribute('class') === 'bars';
      },
    })
    .on('main thead', {
      element(head) {
        heads = [];
        now.inHead = true;
        head.onEndTag(() => {
          now.inHead = false;
        });
      },
    })
    .on('main tr', {
      element() {
        now.place = 0;
        if (!now.inHead) addRow(now.label);
      },
    })
    .on('main th, main td', {
      element(one) {
        beginCell(one.getAttribute('class') ?? '', one.getAttribute('scope'));
      },
      text({ text }) {
        if (now.inHead) heads[heads.length - 1] += text;
        else cell!.text += text;
      },
    })
    .on('main .figure', {
      element() {
        begin('figure', now.title, addRow(''));
      },
    })
    .on('main .machine-list li', {
      element() {
        begin('item', '', addRow(''));
      },
      text({ text }) {
        cell!.text += text;
      },
    })
    .on('main a', {
      element(one) {
        const isName = /mono/.test(one.getAttribute('class') ?? '');
        const link = { href: one.getAttribute('href')!.replaceAll('&amp;', '&'), text: '', isName };
        links.push(link);
        cell?.links.push(link);
      },
      text({ text }) {
        const link = links.at(-1)!;
        link.text += text;
        if (link.href.endsWith(`/${link.text}`)) link.isName = true;
      },
    })
    .on('main a .mono', {
      element() {
        links.at(-1)!.isName = true;
      },
    })
    .transform(html);
  return { rows, links };
}

export const numberOf = (text: string) => Number(text.replaceAll(',', ''));

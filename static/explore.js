// <figure data-explore>: in place of its drawing, its table as a chart that tells values under the pointer, is zoomed by
// dragging, and leads to the records behind a bar. Who has no pointer has the table.

/** For each figure that has its chart, what takes it away again. */
const explored = new Map();

function exploreAll() {
  for (const figure of document.querySelectorAll('figure[data-explore]'))
    if (!explored.has(figure)) explored.set(figure, explore(figure));
}

function explore(figure) {
  const { slots, series } = numbersOf(figure);
  const box = element('div', 'explored');
  const legend = element('div', 'legend');
  const reading = element('span', 'reading');
  const whole = element('button', 'whole');
  whole.type = 'button';
  whole.textContent = 'Whole window';
  const canvas = element('div', 'canvas');
  legend.append(...series.map(({ key }) => key), reading, whole);
  box.append(legend, canvas);
  figure.querySelector('.plot').after(box);

  const bars = series.filter(({ line }) => !line);
  // uPlot draws one over the other, so what stands on top comes first.
  const drawn = [...bars.toReversed(), ...series.filter(({ line }) => line)];
  const band = element('div', 'band');
  const through = element('a', 'through');
  through.tabIndex = -1;
  through.draggable = false;
  through.setAttribute('aria-hidden', 'true');

  const chart = new uPlot(
    {
      ...sizeOf(canvas),
      padding: [8, 14, 0, 0],
      legend: { show: false },
      cursor: { x: false, y: false, points: { show: false }, drag: { dist: 4 }, bind: HEAR_FROM_LINK },
      scales: {
        x: { time: false, range: (_, from, to) => [Math.round(from) - 0.5, Math.ceil(to - 0.5) + 0.5] },
        y: { range: (_, __, most) => [0, roundedUp(most)] },
      },
      axes: axesOf(box, slots),
      series: [{}, ...drawn.map(seriesOptions)],
      hooks: {
        drawClear: [u => figure.querySelector('.unfinished') && shade(u, slots.length - 1, box)],
        setCursor: [showValues],
        setScale: [(u, scale) => scale === 'x' && box.classList.toggle('zoomed', isZoomed(u))],
      },
    },
    stacked(),
    canvas,
  );
  chart.over.append(band, through);
  const image = chart.ctx.canvas;
  image.setAttribute('role', 'img');
  image.setAttribute('aria-label', figure.querySelector('svg').getAttribute('aria-label'));

  function stacked() {
    const below = slots.map(() => 0);
    for (const one of bars) {
      one.top = one.values.map((n, slot) => {
        if (one.shown) below[slot] += n;
        return below[slot];
      });
    }
    return [slots.map((_, slot) => slot), ...drawn.map(one => (one.line ? one.values : one.top))];
  }

  for (const one of series) {
    one.key.addEventListener('click', () => {
      one.shown = !one.shown;
      one.key.setAttribute('aria-pressed', String(one.shown));
      chart.setData(stacked(), false);
      chart.setSeries(drawn.indexOf(one) + 1, { show: one.shown });
    });
  }

  function showValues({ cursor: { idx: slot, left, top } }) {
    const over = left >= 0 && slot != null;
    band.hidden = !over;
    reading.textContent = over ? slots[slot].name : '';
    for (const { value, texts } of series) value.textContent = over ? texts[slot] : '';
    const href = over && barAt(slot, chart.posToVal(top, 'y'))?.links[slot];
    if (href) through.href = href;
    else through.removeAttribute('href');
    if (!over) return;
    const from = chart.valToPos(slot - 0.5, 'x');
    band.style.left = `${from}px`;
    band.style.width = `${chart.valToPos(slot + 0.5, 'x') - from}px`;
  }

  /** Bars may be too low to point at: where there is but one in a slot, all above belongs to it. */
  function barAt(slot, n) {
    const there = bars.filter(one => one.shown && one.values[slot] > 0);
    return there.find(one => one.top[slot] >= n) ?? (there.length === 1 ? there[0] : undefined);
  }

  const isZoomed = u => u.scales.x.max - u.scales.x.min < slots.length;
  whole.addEventListener('click', () => chart.setScale('x', { min: 0, max: slots.length - 1 }));
  const following = followUnlessDouble(through, () => isZoomed(chart));

  // Its width alone: uPlot is as high as its box makes it, and must not make the box higher.
  const resized = new ResizeObserver(() => {
    if (canvas.clientWidth !== chart.width) chart.setSize(sizeOf(canvas));
  });
  resized.observe(canvas);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const recolour = () => chart.redraw(false);
  dark.addEventListener('change', recolour);
  figure.classList.add('is-explored');

  return () => {
    dark.removeEventListener('change', recolour);
    resized.disconnect();
    following.stop();
    chart.destroy();
    box.remove();
    figure.classList.remove('is-explored');
  };
}

/** The slots, oldest first, and the series in the order of the table's columns, each with a key for the legend. */
function numbersOf(figure) {
  const rows = [...figure.querySelector('tbody').rows].reverse();
  const slots = rows.map(({ cells: [head] }) => ({ name: head.textContent, tick: head.dataset.tick }));
  const keys = figure.querySelectorAll('figcaption .key');
  const series = [...keys].map((key, n) => {
    const cells = rows.map(({ cells }) => cells[n + 1]);
    const texts = cells.map(cell => cell.textContent);
    return {
      ...legendKey(key, texts),
      line: key.classList.contains('line'),
      shown: true,
      texts,
      values: texts.map(text => Number(text.replaceAll(',', ''))),
      links: cells.map(cell => cell.querySelector('a')?.href),
    };
  });
  return { slots, series };
}

/** A button that shows and hides a series, with its value under the pointer. */
function legendKey({ className, textContent }, texts) {
  const key = element('button', className);
  key.type = 'button';
  key.textContent = textContent;
  key.setAttribute('aria-pressed', 'true');
  const value = element('b');
  value.style.minWidth = `${Math.max(...texts.map(text => text.length))}ch`;
  key.append(value);
  return { key, value };
}

/** uPlot does not listen to what lies over its chart unless told. */
const HEAR_FROM_LINK = {
  mousedown: (_, __, handle) => event => event.button === 0 && handle(event),
  mousemove: (_, __, handle) => handle,
  dblclick: (_, __, handle) => handle,
};

function seriesOptions({ key, line }) {
  const look = () => getComputedStyle(key, '::before');
  if (line) {
    const colour = () => look().borderTopColor;
    return { stroke: colour, width: 2, points: { show: true, size: 6, fill: colour } };
  }
  return {
    fill: () => look().backgroundColor,
    stroke: null,
    width: 0,
    points: { show: false },
    paths: uPlot.paths.bars({ size: [0.7] }),
  };
}

const LABELS = 5;

function axesOf(box, slots) {
  const look = getComputedStyle(box);
  const font = `${Math.round(Number.parseFloat(look.fontSize))}px ${look.fontFamily}`;
  const common = { font, stroke: () => look.color, ticks: { show: false } };
  return [
    {
      ...common,
      splits: slotsLabelled,
      values: (_, at) => at.map(n => slots[n].tick),
      size: 24,
      grid: { show: false },
    },
    {
      ...common,
      splits: (_, __, least, most) => [least, (least + most) / 2, most],
      values: (_, at) => at.map(n => n.toLocaleString('en')),
      size: (u, texts, axis) => 10 + widest(u.ctx, u.axes[axis].font[0], texts ?? []) / uPlot.pxRatio,
      gap: 6,
      grid: { stroke: () => look.borderTopColor, width: 1 },
    },
  ];
}

function widest(ctx, font, texts) {
  ctx.font = font;
  return Math.max(0, ...texts.map(text => ctx.measureText(text).width));
}

/** As many slots as there is room for, the last one that is seen among them. */
function slotsLabelled(_, __, least, most) {
  const [first, last] = [Math.ceil(least), Math.floor(most)];
  const step = Math.ceil((last - first + 1) / LABELS);
  return Array.from({ length: last - first + 1 }, (_, n) => first + n).filter(slot => (last - slot) % step === 0);
}

/** Shows that a slot isn't over. */
function shade({ ctx, bbox, valToPos }, slot, box) {
  const [from, to] = [slot - 0.5, slot + 0.5].map(x => valToPos(x, 'x', true));
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = getComputedStyle(box.parentElement).color;
  ctx.globalAlpha = 0.06;
  ctx.fillRect(from, bbox.top, to - from, bbox.height);
  ctx.restore();
}

/** A zoomed chart is shown whole by a double click, so its first click must not lead away at once; nor must the end of dragging. */
function followUnlessDouble(through, isZoomed) {
  let [pressedAt, waiting] = [0, 0];
  through.addEventListener('mousedown', event => {
    pressedAt = event.clientX;
  });
  through.addEventListener('click', event => {
    clearTimeout(waiting);
    // A finger shows values; the table has the links.
    if (Math.abs(event.clientX - pressedAt) > 3 || event.pointerType === 'touch') return event.preventDefault();
    if (!isZoomed() || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const { href } = through;
    if (event.detail === 1) waiting = setTimeout(() => location.assign(href), 300);
  });
  return { stop: () => clearTimeout(waiting) };
}

const sizeOf = ({ clientWidth, clientHeight }) => ({ width: clientWidth, height: clientHeight });

/** The same rule as in views/slot-chart.tsx. */
function roundedUp(n) {
  const unit = 10 ** Math.floor(Math.log10(Math.max(n, 1)));
  return Math.max(2, ([1, 2, 4, 6, 8, 10].find(step => step * unit >= n) ?? 10) * unit);
}

function element(name, className = '') {
  const made = document.createElement(name);
  made.className = className;
  return made;
}

// htmx compares the page with a new one: it is to find what the server sent.
document.addEventListener('htmx:before:swap', () => {
  for (const end of explored.values()) end();
  explored.clear();
});
document.addEventListener('htmx:finally:swap', exploreAll);
exploreAll();

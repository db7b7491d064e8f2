/**
 * A chart of a few lines as SVG, by hand: logarithmic axes, units on both, each point with its spread, readable on light and on dark pages
 * and without colours (dashes and marks differ, too).
 */
const SIZE = { width: 720, height: 360, left: 66, right: 16, top: 40, bottom: 52 };
const STYLES = [
  { colour: ['#0b62b8', '#6cb6ff'], dash: '', mark: 'circle' },
  { colour: ['#b3470b', '#ffa36c'], dash: '7 4', mark: 'square' },
];

/**
 * @param title in words, for those who do not see the picture too
 * @param x and `y` `{ label }` with the unit
 * @param lines `[{ name, points: [{ x, y, low, high }] }]`
 */
export function lineChart({ title, x, y, lines }) {
  const points = lines.flatMap((line) => line.points);
  const xScale = logScale(
    points.map((point) => point.x),
    SIZE.left,
    SIZE.width - SIZE.right,
    1.06,
  );
  const yScale = logScale(
    points.flatMap((point) => [point.low, point.high]),
    SIZE.height - SIZE.bottom,
    SIZE.top,
    1.15,
  );
  const bottom = SIZE.height - SIZE.bottom;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" width="${SIZE.width}" role="img" aria-label="${escaped(title)}">`,
    `<title>${escaped(title)}</title>`,
    style(),
    ...xTicks(points).map((at) => [
      `<line class="grid" x1="${n(xScale(at))}" y1="${SIZE.top}" x2="${n(xScale(at))}" y2="${bottom}"/>`,
      `<text x="${n(xScale(at))}" y="${bottom + 17}" text-anchor="middle">${at.toLocaleString('en-US')}</text>`,
    ]),
    ...yTicks(yScale.from, yScale.to).map((at) => [
      `<line class="grid" x1="${SIZE.left}" y1="${n(yScale(at))}" x2="${SIZE.width - SIZE.right}" y2="${n(yScale(at))}"/>`,
      `<text x="${SIZE.left - 7}" y="${n(yScale(at) + 4)}" text-anchor="end">${at}</text>`,
    ]),
    `<text x="${(SIZE.left + SIZE.width - SIZE.right) / 2}" y="${SIZE.height - 12}" text-anchor="middle">${escaped(x.label)}</text>`,
    `<text x="${SIZE.left}" y="16">${escaped(y.label)}</text>`,
    ...lines.map((line, index) => drawn(line, index, xScale, yScale)),
    ...legend(lines),
    '</svg>',
  ]
    .flat(2)
    .join('\n')
    .concat('\n');
}

function style() {
  const rules = (theme) =>
    STYLES.map(({ colour }, index) => `.l${index}{stroke:${colour[theme]}}.m${index}{fill:${colour[theme]}}`).join('');
  return `<style>text{font:12px system-ui,sans-serif;fill:#333}.grid{stroke:#8884;stroke-width:1}.line{fill:none;stroke-width:2}.spread{stroke-width:1.5;opacity:.6}${rules(0)}@media(prefers-color-scheme:dark){text{fill:#ddd}${rules(1)}}</style>`;
}

function drawn({ points }, index, xScale, yScale) {
  const path = points.map((point, at) => `${at === 0 ? 'M' : 'L'}${n(xScale(point.x))} ${n(yScale(point.y))}`).join('');
  const dash = STYLES[index].dash === '' ? '' : ` stroke-dasharray="${STYLES[index].dash}"`;
  return [
    `<path class="line l${index}"${dash} d="${path}"/>`,
    ...points.map(
      (point) =>
        `<line class="spread l${index}" x1="${n(xScale(point.x))}" y1="${n(yScale(point.low))}" x2="${n(xScale(point.x))}" y2="${n(yScale(point.high))}"/>`,
    ),
    ...points.map((point) => mark(index, xScale(point.x), yScale(point.y))),
  ];
}

function mark(index, x, y) {
  if (STYLES[index].mark === 'circle') return `<circle class="m${index}" cx="${n(x)}" cy="${n(y)}" r="4"/>`;
  return `<rect class="m${index}" x="${n(x - 3.5)}" y="${n(y - 3.5)}" width="7" height="7"/>`;
}

function legend(lines) {
  return lines.map(({ name }, index) => {
    const left = SIZE.width - SIZE.right - 150 * (lines.length - index);
    return [mark(index, left + 10, 12), `<text x="${left + 22}" y="16">${escaped(name)}</text>`];
  });
}

/** Maps values to pixels; `margin` is the factor of room beyond the outermost ones. */
function logScale(values, fromPixel, toPixel, margin) {
  const from = Math.min(...values) / margin;
  const to = Math.max(...values) * margin;
  const span = Math.log(to) - Math.log(from);
  const scale = (value) => fromPixel + ((Math.log(value) - Math.log(from)) / span) * (toPixel - fromPixel);
  return Object.assign(scale, { from, to });
}

/** The measured places themselves. */
function xTicks(points) {
  return [...new Set(points.map((point) => point.x))].sort((a, b) => a - b);
}

/** 1, 2 and 5 of each power of ten in between; 1, 1.5, 2, 3, 5, 7 where those would be too few. */
function yTicks(from, to) {
  const ticks = (steps) => {
    const out = [];
    for (let power = Math.floor(Math.log10(from)); 10 ** power <= to; power += 1) {
      for (const step of steps) {
        const at = Number((step * 10 ** power).toPrecision(2));
        if (at >= from && at <= to) out.push(at);
      }
    }
    return out;
  };
  const few = ticks([1, 2, 5]);
  return few.length >= 3 ? few : ticks([1, 1.5, 2, 3, 5, 7]);
}

function n(value) {
  return Number(value.toFixed(1));
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

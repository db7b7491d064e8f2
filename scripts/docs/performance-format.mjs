/** How the numbers of docs/performance.md are written. */

export function tableOf(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export function list(head, entries) {
  return entries.length === 0 ? [] : [`${head}\n\n${entries.join('\n')}`];
}

export function verdict(reached) {
  if (reached === undefined) return '';
  return reached ? 'reached' : '**missed**';
}

export function range([from, to]) {
  return `${from.toFixed(2)} to ${to.toFixed(2)}`;
}

export function ms(value) {
  return value === null || !Number.isFinite(value) ? 'endless' : `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

export function share(value) {
  return `${(100 * value).toFixed(2)} %`;
}

export function thousands(value) {
  return value === undefined ? '' : Math.round(value / 1000).toLocaleString('en-US');
}

export function whole(value) {
  return value === undefined || value === null ? '' : Math.round(value).toLocaleString('en-US');
}

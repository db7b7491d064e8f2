/** docs/performance.md is what its generator makes of the files of the last benchmarks, and hides nothing that they hold. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { performancePage } from '../../scripts/docs/performance.mjs';
import { BENDS, bendOf } from '../../scripts/docs/performance-words.mjs';
import { lineChart } from '../../scripts/tools/line-chart.mjs';
import { WORKS } from '../bench/hop/works.mjs';

const ROOT = join(import.meta.dirname, '..', '..');
const PAGE = 'docs/performance.md';
const RESULTS = ['agent-hop', 'agent-open-loop', 'agent-start', 'agent-workers', 'agent-growth', 'library', 'synth'];

type Files = Record<string, string>;
const pageOf = performancePage as unknown as (results: Record<string, unknown>) => Files;
const page = (files: Files): string => files[PAGE] as string;

const MACHINE = { cpu: 'a CPU', cores: 4, virtual: true, memoryGiB: 8, kernel: 'Linux 6', loadAverage: [0.1, 0.2, 0.3] };
const FACTS = {
  date: '2026-11-21T00:00:00Z',
  commit: 'a'.repeat(40),
  machine: MACHINE,
  node: 'v26.10.0',
  command: 'node a.mjs',
  rounds: 5,
};
const program = (cpuPerMillion: number, more = {}) => ({
  median: { cpuPerMillion, cpuPerGB: 1, itemsPerSecond: 1e6, rssPeakMiB: 150 },
  runs: [{ cpuPerMillion }],
  voids: [] as string[],
  settings: [] as string[],
  ...more,
});
const row = (name: string, ratio: number, more = {}) => ({
  name,
  what: `the work ${name}`,
  goal: 4,
  work: {},
  ratio: { ratio, min: ratio - 0.1, max: ratio + 0.1, interval95: [ratio - 0.05, ratio + 0.05] },
  programs: { ours: program(0.5), collector: program(0.5 * ratio) },
  ...more,
});
const hop = (...table: unknown[]) => ({ 'agent-hop': { ...FACTS, versions: { otelcol: '0.155.0' }, table } });

describe('docs/performance.md', () => {
  it('is what the result files say: after a benchmark run `npm run docs`', () => {
    const results = Object.fromEntries(
      RESULTS.flatMap((name) => {
        const path = join(ROOT, 'test/bench/results', `${name}.json`);
        return existsSync(path) ? [[name, JSON.parse(readFileSync(path, 'utf8'))]] : [];
      }),
    );
    const files = pageOf(results);
    for (const [path, text] of Object.entries(files)) expect(readFileSync(join(ROOT, path), 'utf8'), path).toBe(text);
    const curves = existsSync(join(ROOT, 'docs/performance')) ? readdirSync(join(ROOT, 'docs/performance')) : [];
    for (const name of curves) expect(Object.keys(files)).toContain(`docs/performance/${name}`);
  });

  it('links to what is there', () => {
    const text = readFileSync(join(ROOT, PAGE), 'utf8');
    const links = [...text.matchAll(/\]\(([^)]+)\)|href="([^"]+)"/g)].map(([, markdown, html]) => (markdown ?? html) as string);
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) expect(existsSync(join(ROOT, dirname(PAGE), link)), link).toBe(true);
  });

  it('a changed number changes the page', () => {
    expect(pageOf(hop(row('none-25', 5)))).not.toEqual(pageOf(hop(row('none-25', 5.01))));
  });

  it('says what was not measured', () => {
    const text = page(pageOf({}));
    for (const name of RESULTS) expect(text).toContain(`Not measured yet: \`npm run bench -- ${name}\`.`);
  });

  it('shows a missed goal as missed, with the profile that shows why', () => {
    const text = page(pageOf(hop(row('none-512', 4.2), row('none-25', 3.9))));
    expect(text).toMatch(/\| the work none-512 \| 4 \|.*\| reached \|/);
    expect(text).toMatch(/\| the work none-25 \| 4 \|.*\*\*3\.90\*\*.*\| \*\*missed\*\* \|/);
    expect(text).toMatch(/\* \*\*the work none-25\*\*, 3\.90 of 4: .+`npm run profile -- none-25`/);
  });

  it('shows void runs, failures, and what our command line alone said', () => {
    const failing = {
      ours: program(1, { voids: ['the driver was late'], settings: ['a.b=true'] }),
      collector: { ...program(1), median: undefined, runs: [], failed: 'no such file' },
    };
    const text = page(pageOf(hop(row('gzip-members', 9, { programs: failing, ratio: undefined }))));
    expect(text).toContain('1 runs were void and made again: gzip-members, ours: the driver was late.');
    expect(text).toContain('`--set a.b=true`');
    expect(text).toContain('the work gzip-members, collector: not measured, no such file');
  });

  it('has goals for every work of the bench', () => {
    for (const [name, { goal, what }] of Object.entries(WORKS)) {
      expect(goal, name).toBeGreaterThanOrEqual(2);
      expect(what, name).not.toBe('');
    }
  });
});

describe('the bends of the curves', () => {
  const bends = BENDS as unknown as Record<string, (points: { x: number; y: number }[]) => string>;
  const curve = (cost: (x: number) => number) => [1, 4, 16, 64, 256, 1000].map((x) => ({ x, y: cost(x) }));

  it('are the first lasting rise by a quarter', () => {
    expect(bendOf(curve((x) => (x < 64 ? 1 : 1.5)))).toMatchObject({ x: 64, factor: 1.5 });
    expect(bendOf(curve(() => 1))).toBeUndefined();
    // A single point that rises is noise.
    expect(bendOf(curve((x) => (x === 16 ? 2 : 1)))).toBeUndefined();
  });

  it('give a reason only where there is one', () => {
    for (const name of ['connections', 'upstreams']) {
      expect(bends[name]?.(curve(() => 1))).toContain('does not bend');
      expect(bends[name]?.(curve((x) => (x < 64 ? 1 : 2)))).toMatch(/^It bends at 64 /);
    }
  });

  it('of requests and bytes are computed from what a request, a span and a byte cost', () => {
    expect(bends.items?.(curve((x) => 0.5 + 10 / x))).toMatch(
      /^A request costs 10 µs .* a span 0\.50 µs: the curve bends at about 20 spans/,
    );
    expect(bends.bytes?.(curve((x) => 0.2 + 0.001 * x))).toMatch(/1\.00 CPU s per GB.* a span 0\.20 µs besides.* about 200 bytes/);
  });
});

describe('the section of workers', () => {
  const ratio = (value: number) => ({ ratio: value, min: value, max: value, interval95: [value, value] });
  const workersCase = (name: string, cpu: number, more = {}) => ({
    name,
    what: `the load ${name}`,
    goal: { cpu: 1.1, rate: 1.8 },
    more: [{ workers: 2, cpu: ratio(cpu), rateNotMeasured: 'no rate', busy: 0.7, cpuReached: cpu <= 1.1 }],
    counts: {},
    ...more,
  });
  const section = (...cases: unknown[]) => {
    const file = { ...FACTS, versions: {}, pinned: { workers: ['1 workers: 3', '2 workers: 2-3'] }, cases };
    const text = page(pageOf({ 'agent-workers': file }));
    return text.slice(text.indexOf('## Workers'), text.indexOf('## The embedded library'));
  };

  it('says which row is a closed loop and which offers each worker the same, and how the kernel spread the work', () => {
    const run = (share: number) => ({ cpuPerMillion: 1, shares: [share, 1 - share] });
    const equal = workersCase('equal', 1.05, {
      perWorker: { itemsPerSecond: 400_000, connections: 32 },
      counts: { '1 workers': { runs: [{ cpuPerMillion: 1 }] }, '2 workers': { runs: [run(0.53), run(0.62)] } },
    });
    const text = section(workersCase('small', 1.5), equal);
    expect(text).toContain('The first rows are closed loops');
    expect(text).toContain('400 k spans/s over 32 connections');
    expect(text).toContain('53 to 62 % of the work');
    expect(text).toMatch(/\| the load equal \| 2 \| 1\.05 .*reached \|/);
    expect(text).toMatch(/\| the load small \| 2 \| 1\.50 .*missed/);
    expect(text).not.toContain('No explanation has been written');
  });

  it('speaks of no open loop where none was measured', () => {
    expect(section(workersCase('small', 1.5))).not.toContain('open loop that offers each worker the same,');
  });
});

describe('a chart', () => {
  let svg: string;
  beforeAll(() => {
    const line = (name: string, factor: number) => ({
      name,
      points: [1, 10, 100].map((x) => ({ x, y: factor / x, low: factor / x / 1.1, high: (1.1 * factor) / x })),
    });
    svg = (lineChart as unknown as (chart: object) => string)({
      title: 'cost <by> size',
      x: { label: 'spans' },
      y: { label: 'CPU s' },
      lines: [line('ours', 2), line('theirs', 5)],
    });
  });

  it('has its units, a legend, a description, and lines that differ without colour', () => {
    for (const text of ['spans', 'CPU s', 'ours', 'theirs', 'cost &lt;by> size', 'stroke-dasharray', 'prefers-color-scheme:dark'])
      expect(svg).toContain(text);
  });

  it('keeps everything within its frame', () => {
    for (const [, x, y] of svg.matchAll(/cx="([\d.-]+)" cy="([\d.-]+)"/g)) {
      expect(Number(x)).toBeGreaterThan(0);
      expect(Number(x)).toBeLessThan(720);
      expect(Number(y)).toBeGreaterThan(0);
      expect(Number(y)).toBeLessThan(360);
    }
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });
});

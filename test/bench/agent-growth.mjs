/**
 * How the cost grows with the work: client connections, spans in a request, bytes in a span, upstreams. CPU seconds per million spans and
 * per GB, ours beside the Collector, each point as in agent-hop. docs/performance.md draws the curves.
 *
 *   npm run bench -- agent-growth [--rounds 3] [--only connections,upstreams] [--scale 1] [--out FILE]
 */
import { parseArgs } from 'node:util';
import { compare, mediansOf } from './hop/compare.mjs';
import { OTELCOL, OTELCOL_VERSION } from './hop/subject.mjs';
import { WORKS } from './hop/works.mjs';
import { facts } from './lib/machine.mjs';
import { pinning } from './lib/pin.mjs';
import { writeResult } from './lib/result-file.mjs';
import { DRIVER } from './traffic/closed-loop.mjs';

const { values: args } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    scale: { type: 'string', default: '1' },
    out: { type: 'string' },
  },
});
/** Requests under way in all connections together, where they are few enough for that. */
const UNDER_WAY = 32;
/**
 * 64,000 requests, 64 on each of 1000 connections, after half as many: with a quarter of it what the points said was how long V8 compiles
 * (10 of 32 microseconds a request) and what a connection costs that is opened for 16 requests (11 of 50).
 */
const ENOUGH_FOR_MANY = { millions: 1.6, warmUpShare: 0.5 };
const plain = (more) => ({ ...WORKS['none-512'], floor: false, millions: 0.6, warmUpShare: 0.8, ...more });
const clients = (connections) => ({
  connections,
  bodies: Math.min(4, connections),
  inFlight: Math.max(1, Math.ceil(UNDER_WAY / connections)),
});

const SERIES = {
  connections: {
    what: 'client connections, 25 spans x 376 B in a request',
    unit: 'connections',
    points: [1, 4, 16, 64, 256, 1000],
    work: (connections) => plain({ items: 25, itemBytes: 376, ...ENOUGH_FOR_MANY, ...clients(connections) }),
  },
  items: {
    what: 'spans in a request, 376 B each, 4 connections',
    unit: 'spans',
    points: [1, 5, 25, 100, 512, 1000, 5000],
    work: (items) => plain({ items, itemBytes: 376, millions: Math.min(0.8, 0.04 * items ** 0.75) }),
  },
  bytes: {
    what: 'bytes in a span, 100 spans in a request, 4 connections',
    unit: 'B',
    points: [100, 200, 400, 800, 2000, 5000, 10_240],
    work: (itemBytes) => plain({ items: 100, itemBytes, millions: itemBytes > 1000 ? 0.1 : 0.5 }),
  },
  upstreams: {
    what: 'upstreams, by trace id, 512 spans x 373 B of mixed traces in a request',
    unit: 'upstreams',
    points: [1, 2, 4, 8, 16, 32, 64],
    // One upstream goes through the same exporter as many.
    work: (upstreams) => plain({ upstreams, balanced: true }),
    oursAlone: true,
  },
};

const FACTS = facts();
const pins = pinning();
const wanted = Object.entries(SERIES).filter(([name]) => args.only?.split(',').includes(name) ?? true);
const works = Object.fromEntries(
  wanted.flatMap(([name, { points, work, oursAlone }]) => points.map((at) => [`${name} ${at}`, { ...work(at), oursAlone }])),
);
const programsOf = ({ oursAlone }) => [
  { name: 'ours', kind: 'ours' },
  ...(OTELCOL === undefined || oursAlone ? [] : [{ name: 'collector', kind: 'collector' }]),
];
const results = await compare({ works, programsOf, rounds: Number(args.rounds), scale: Number(args.scale), pins, upstreams: 64 });
const series = wanted.map(([name, { what, unit, points }]) => ({
  name,
  what,
  unit,
  points: points.map((at) => ({
    at,
    ...Object.fromEntries(
      Object.entries(results[`${name} ${at}`]).map(([program, { runs, voids, failed }]) => [
        program,
        { ...(runs.length === 0 ? {} : { median: mediansOf(runs) }), runs: runs.map(brief), voids, failed },
      ]),
    ),
  })),
}));
if (args.only === undefined || args.out !== undefined) {
  writeResult(
    'agent-growth',
    {
      what: 'CPU seconds per million spans and per GB of one hop as in agent-hop, one thing changed at a time',
      ...FACTS,
      pinned: pins,
      versions: { otelcol: OTELCOL_VERSION, ...DRIVER },
      rounds: Number(args.rounds),
      series,
    },
    args.out,
  );
}

/** What the curves and their spread need. */
function brief({ cpuPerMillion, cpuPerGB, itemsPerSecond, rssPeakMiB, busy }) {
  return { cpuPerMillion, cpuPerGB, itemsPerSecond, rssPeakMiB, busy };
}

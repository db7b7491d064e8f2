/** The sections of docs/performance.md about how cost grows, about the embedded library and about synthesis. */
import { lineChart } from '../tools/line-chart.mjs';
import { list, tableOf, verdict, whole } from './performance-format.mjs';
import { BENDS, explanationOf } from './performance-words.mjs';

export function library({ cpu }) {
  const of = (kind, compression) => cpu.find((one) => one.kind === kind && one.compression === compression);
  const alone = cpu.find(({ kind }) => kind === 'sdk alone').cpuSecondsPerMillion;
  const rows = ['none', 'gzip'].flatMap((compression) =>
    ['grpc', 'http'].map((protocol) => {
      const [theirs, ours] = [of(`official ${protocol}`, compression), of(`agent ${protocol}`, compression)];
      const spread = (one) => `${one.cpuSecondsPerMillion.toFixed(2)} (${one.least.toFixed(2)} to ${one.most.toFixed(2)})`;
      return [
        `${protocol === 'grpc' ? 'OTLP/gRPC' : 'OTLP/HTTP'}, ${compression}`,
        spread(ours),
        spread(theirs),
        (theirs.cpuSecondsPerMillion / ours.cpuSecondsPerMillion).toFixed(2),
        ((theirs.cpuSecondsPerMillion - alone) / (ours.cpuSecondsPerMillion - alone)).toFixed(2),
      ];
    }),
  );
  return [
    `CPU seconds per million spans of a whole program with the OpenTelemetry SDK, ${alone.toFixed(2)} of which the SDK takes by itself. What is lost when a backend fails is in [embed.md](how-to/embed.md).`,
    tableOf(['exporter', 'with ours (least to most)', 'with the official one', 'ratio', "ratio of the exporters' part alone"], rows),
  ].join('\n\n');
}

export function synthesis(result) {
  const { goal, reached } = result;
  if (goal === undefined) return 'The file is of an older bench.';
  const thousand = result.objects.find(({ objects }) => objects >= 1000);
  const rows = [
    [
      'import of otlp-stack',
      `< ${goal.importMs} ms`,
      `${whole(result.import.medianMilliseconds)} ms (worst ${whole(result.import.worstMilliseconds)})`,
      'importMs',
    ],
    [
      'reference stack: construct, synth, print',
      `< ${goal.wholeStackMs} ms`,
      `${whole(result.wholeStack.medianMilliseconds)} ms (worst ${whole(result.wholeStack.worstMilliseconds)})`,
      'wholeStackMs',
    ],
    [`${thousand.objects} objects`, `< ${goal.thousandObjectsMs} ms`, `${whole(thousand.medianMilliseconds)} ms`, 'thousandObjectsMs'],
    [
      'memory',
      `linear: a further object at most ${goal.memorySlopes} times the one before`,
      `KiB for a further object: ${result.heapKiBPerFurtherObject.join(', ')}`,
      'memorySlopes',
    ],
    [
      `${result.growth.services[1]} services beside ${result.growth.services[0]}`,
      `at most ${goal.growth} times`,
      `${result.growth.factor} times`,
      'growth',
    ],
  ];
  return [
    tableOf(
      ['', 'goal', 'measured', ''],
      rows.map(([what, limit, measured, key]) => [what, limit, measured, verdict(reached[key])]),
    ),
    ...list(
      'Missed:',
      rows.filter(([, , , key]) => !reached[key]).map(([what, , , key]) => `* **${what}**: ${explanationOf(`synth.${key}`)}`),
    ),
    tableOf(
      ['objects', 'ms', 'KiB of heap for each', 'MiB at most'],
      result.objects.map((one) => [
        `${one.objects}`,
        whole(one.medianMilliseconds),
        one.heapKiBPerObject.toFixed(1),
        whole(one.peakRssMiB),
      ]),
    ),
  ].join('\n\n');
}

export function growth({ series, rounds }) {
  return [
    `One thing is changed at a time; each point is the median of ${rounds} rounds, its bar reaches from the least to the most.`,
    ...series.map(
      ({ name, what, points }) =>
        `![${alt(what)}](performance/${name}.svg)\n\n${BENDS[name](lineOf(points, 'ours').map(({ x, y }) => ({ x, y })))}`,
    ),
    tableOf(
      ['', 'ours, CPU s per million', 'per GB', 'Collector, per million', 'per GB', 'ours, MiB at most'],
      series.flatMap(({ points, unit }) =>
        points.map(({ at, ours, collector }) => [
          `${at.toLocaleString('en-US')} ${unit}`,
          ours?.median?.cpuPerMillion.toFixed(2) ?? 'not measured',
          ours?.median?.cpuPerGB.toFixed(2) ?? '',
          collector?.median?.cpuPerMillion.toFixed(2) ?? '',
          collector?.median?.cpuPerGB.toFixed(2) ?? '',
          whole(ours?.median?.rssPeakMiB),
        ]),
      ),
    ),
  ].join('\n\n');
}

export function curves(result) {
  return Object.fromEntries(
    (result?.series ?? []).map(({ name, what, points }) => [
      `docs/performance/${name}.svg`,
      lineChart({
        title: alt(what),
        x: { label: what },
        y: { label: 'CPU s per million spans' },
        lines: [
          { name: 'otlp-agent', points: lineOf(points, 'ours') },
          { name: 'Collector', points: lineOf(points, 'collector') },
        ].filter((line) => line.points.length > 0),
      }),
    ]),
  );
}

function lineOf(points, program) {
  return points
    .filter((point) => point[program]?.median !== undefined)
    .map(({ at, [program]: { median, runs } }) => {
      const all = runs.map((run) => run.cpuPerMillion);
      return { x: at, y: median.cpuPerMillion, low: Math.min(...all), high: Math.max(...all) };
    });
}

function alt(what) {
  return `CPU seconds per million spans by ${what}`;
}

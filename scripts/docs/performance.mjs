/** docs/performance.md and its curves: from the files of test/bench/results, nothing measured here. */
import { readResult } from '../../test/bench/lib/result-file.mjs';
import { hop, openLoop, start, workers } from './performance-agent.mjs';
import { curves, growth, library, synthesis } from './performance-growth.mjs';

const PAGE = 'docs/performance.md';
const RESULTS = ['agent-hop', 'agent-open-loop', 'agent-start', 'agent-workers', 'agent-growth', 'library', 'synth'];

export async function generate() {
  return performancePage(Object.fromEntries(RESULTS.map((name) => [name, readResult(name)])));
}

/** @param results by the name of their bench; a missing one is a section that says so */
export function performancePage(results) {
  const section = (name, make) => (results[name] === undefined ? [notMeasured(name)] : [make(results[name]), origin(name, results[name])]);
  const parts = [
    '# Performance',
    `Written by \`npm run docs\` from the files of [test/bench/results](../test/bench/results), which \`npm run bench\` writes; do not edit. Each section names the machine, the commit and the command of its numbers.`,
    '## The agent beside the Collector',
    ...section('agent-hop', hop),
    '## Under a load that does not wait',
    ...section('agent-open-loop', openLoop),
    '## Small',
    ...section('agent-start', start),
    '## Workers',
    ...section('agent-workers', workers),
    '## The embedded library',
    ...section('library', library),
    '## Synthesis',
    ...section('synth', synthesis),
    '## How the cost grows',
    ...section('agent-growth', growth),
    '## How to read and repeat this',
    HOW,
  ];
  return { [PAGE]: `${parts.flat().join('\n\n')}\n`, ...curves(results['agent-growth']) };
}

const HOW = [
  '* `npm run bench` runs everything, about half an hour on a machine that should do nothing else; `npm run bench -- agent-hop --only none-25 --rounds 3` a part of it. It needs the real Collector (`test/real/components/build otelcol`) and h2load (Debian: `nghttp2-client`), and says what it does without them. `npm run docs` writes this page.',
  "* **CPU seconds per million** is the kernel's accounting of user and system time of all threads of the process between two moments, not what a profiler believes. It decides, as it hardly depends on what else the machine does; rates are information. One core that is busy does 1 / x million items a second.",
  '* **The work** is the same for both: one file of configuration, the same requests (four different ones in turn, every span with its own trace id), the same driver and sink, `memory_limiter`, a queue in memory with batches of 8192 items or 100 ms, metrics and health check on, no TLS. The Collector has `GOMAXPROCS=1`. What is set on our command line alone is said.',
  "* **Runs** take turns, ours and the Collector's next to each other, each in a fresh process that was warmed up with a third of the load. The ratio is that of the medians; in brackets the least and the most of two neighbours, then the middle 95 % of 2000 resamples of the rounds. All that was sent has to arrive: the sink counts every item by scanning and decodes a sample with protobufjs.",
  '* **Void** is a run in which the open-loop driver was more than 5 ms late at its 99th percentile or it or the sink waited for their CPU for more than a tenth of the time, or in which driver or sink had a full CPU while the program between them had not. It is made again. Data that did not arrive is not void but wrong, and fails the bench.',
  '* **Latency** in the open loop is from the time at which a request should have been sent, whenever it was, until all of it is at the next hop: the driver writes that time into the first trace id of the request, the sink reads it there.',
].join('\n');

function notMeasured(name) {
  return `Not measured yet: \`npm run bench -- ${name}\`.`;
}

function origin(name, { date, commit, machine, node, versions, rounds, command, pinned }) {
  const host = `${machine.cpu}, ${machine.cores} CPUs${machine.virtual ? ' of a virtual machine' : ''}, ${machine.memoryGiB} GiB, ${machine.kernel}`;
  const programs = Object.entries({ node, ...versions })
    .filter(([, version]) => version !== undefined)
    .map(([program, version]) => `${program} ${version.replace(/^v|^nghttp2\//, '')}`);
  const where =
    pinned?.note ??
    (pinned?.subject === undefined ? undefined : `program on CPU ${pinned.subject}, sink on ${pinned.sink}, driver on ${pinned.driver}`);
  return `<sub>${[
    date.slice(0, 10),
    `commit ${short(commit)}`,
    host,
    `load ${machine.loadAverage.map((load) => load.toFixed(1)).join(' ')} at the start`,
    ...(where === undefined ? [] : [where]),
    [...new Set(programs)].join(', '),
    ...(rounds === undefined ? [] : [`${rounds} rounds`]),
    `<code>${command}</code>`,
    `<a href="../test/bench/results/${name}.json">${name}.json</a>`,
  ].join('; ')}</sub>`;
}

function short(commit) {
  return commit.replace(/^([0-9a-f]{12})[0-9a-f]+/, '$1');
}

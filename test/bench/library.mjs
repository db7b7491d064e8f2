/**
 * `npm run bench:library`: the agent as a library beside the official OTLP exporters, in one run: CPU seconds per million spans (the
 * variants take turns, the median counts), and the spans that are lost when the backend restarts, refuses or hangs for a while. Fails where
 * ours loses any, and where the exporters did not do the same: as many spans in as many requests, uncompressed of the same size.
 *
 *   node test/bench/library.mjs [--rounds 5] [--spans 200000] [--only cpu|loss]
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { facts, ROOT } from './lib/machine.mjs';
import { readResult, writeResult } from './lib/result-file.mjs';
import { startChild } from './library/child.mjs';
import { FAULTS, lossOf } from './library/loss.mjs';

const { values: args } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, spans: { type: 'string', default: '200000' }, only: { type: 'string' } },
});
const ROUNDS = Number(args.rounds);
const SPANS = Number(args.spans);
const WARM_UP = 50_000;
const OUTAGES_MS = [5000, 20_000];
/** The processor may send a batch in two, as its timer falls. */
const MAX_MORE_REQUESTS = 3;
/** Programs of the outages at a time: they wait most of the time. */
const AT_A_TIME = 8;
const EXPORTERS = ['official grpc', 'official http', 'agent grpc', 'agent http'];
const VARIANTS = [
  { kind: 'sdk alone', compression: 'none' },
  ...['none', 'gzip'].flatMap((compression) => EXPORTERS.map((kind) => ({ kind, compression }))),
];

const FACTS = facts();
const before = readResult('library') ?? { cpu: [], loss: [] };
const cpu = args.only === 'loss' ? before.cpu : await compareCpu();
const loss = args.only === 'cpu' ? before.loss : await compareLoss();
writeResult('library', { ...about(), cpu, loss });
const lost = loss.filter(({ kind }) => kind.startsWith('agent')).reduce((total, one) => total + one.lost, 0);
if (lost > 0) {
  console.error(`the agent's exporters lost ${lost} spans`);
  process.exitCode = 1;
}

async function compareCpu() {
  const sink = await startChild('sink.mjs');
  const runs = VARIANTS.map(() => []);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, { kind, compression }] of VARIANTS.entries()) {
      const endpoint = kind.endsWith('grpc') ? sink.hello.grpc : sink.hello.http;
      const subject = await startChild('subject.mjs', [JSON.stringify({ kind, endpoint, compression })]);
      await subject.ask({ spans: WARM_UP });
      await sink.ask('reset');
      const run = await subject.ask({ spans: SPANS });
      const { spans, bytes, requests } = await sink.ask('count');
      subject.end();
      if (kind !== 'sdk alone' && spans !== SPANS) throw new Error(`${kind}: the sink got ${spans} of ${SPANS} spans`);
      const seconds = run.cpuSeconds / (SPANS / 1e6);
      runs[index].push({ cpuSecondsPerMillion: seconds, bytesPerSpan: bytes / SPANS, requests });
      console.log(`${round + 1}/${ROUNDS} ${kind.padEnd(14)} ${compression.padEnd(5)} ${seconds.toFixed(2)} CPU s per million spans`);
    }
  }
  sink.end();
  demandTheSame(runs);
  return VARIANTS.map((variant, index) => {
    const seconds = runs[index].map(({ cpuSecondsPerMillion }) => cpuSecondsPerMillion).sort((a, b) => a - b);
    const [least, median, most] = [seconds[0], seconds[seconds.length >> 1], seconds.at(-1)].map(rounded);
    return {
      ...variant,
      cpuSecondsPerMillion: median,
      least,
      most,
      bytesPerSpan: rounded(runs[index][0].bytesPerSpan),
      requests: runs[index][0].requests,
    };
  });
}

/** What is compared has to be the same work. */
function demandTheSame(runs) {
  const works = VARIANTS.flatMap(({ kind, compression }, index) =>
    kind === 'sdk alone' ? [] : runs[index].map(({ requests, bytesPerSpan }) => ({ kind, compression, requests, bytesPerSpan })),
  );
  const fewest = Math.min(...works.map(({ requests }) => requests));
  const size = works[0].bytesPerSpan;
  for (const { kind, compression, requests, bytesPerSpan } of works) {
    if (requests > fewest + MAX_MORE_REQUESTS)
      throw new Error(`${kind}, ${compression}: ${requests} requests, where others sent ${fewest}`);
    // Of a request more or less the resource is there once more or less.
    if (compression === 'none' && Math.abs(bytesPerSpan - size) > size / 100)
      throw new Error(`${kind}: ${bytesPerSpan} bytes a span, where others sent ${size}`);
  }
}

async function compareLoss() {
  const jobs = OUTAGES_MS.flatMap((outageMs) =>
    EXPORTERS.flatMap((kind) => Object.keys(FAULTS[kind.split(' ')[1]]).map((fault) => [kind, fault, outageMs])),
  );
  const results = jobs.map(() => undefined);
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < jobs.length; index = next++) {
      results[index] = await lossOf(...jobs[index]);
      const { kind, fault, outageSeconds, spans, lost, twice } = results[index];
      console.log(`${kind.padEnd(14)} backend ${fault} for ${outageSeconds} s: ${lost} of ${spans} lost, ${twice} twice`);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return results;
}

function about() {
  return {
    what: 'BatchSpanProcessor with its defaults (512 spans a request, one export at a time) and one exporter, spans of 8 attributes. cpu: user and system of all threads of the whole program, SDK included, from after 50,000 spans of warm-up to the last delivery, without TLS, over a connection that is kept; "sdk alone" is the same with an exporter that does nothing. All send to the same sink, as many spans in as many requests; "requests" is how many. loss: 200 spans a second, 3 s before and 5 s after the outage, then provider.shutdown(); timeout 10 s for every exporter',
    ...FACTS,
    versions: {
      node: process.version,
      'otlp-stack-agent': versionOf(join(ROOT, 'agent')),
      ...Object.fromEntries(
        ['sdk-trace', 'exporter-trace-otlp-grpc', 'exporter-trace-otlp-proto', 'otlp-transformer'].map((name) => [
          `@opentelemetry/${name}`,
          versionOf(join(ROOT, 'node_modules', '@opentelemetry', name)),
        ]),
      ),
    },
    rounds: ROUNDS,
    spansPerRun: SPANS,
  };
}

function versionOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
}

function rounded(value) {
  return Math.round(value * 100) / 100;
}

/**
 * Processors alone, in process: CPU nanoseconds per item that `process` takes of each request, without receiving and sending. What
 * test/bench/agent-processors.mjs measures as a whole hop, made small enough to be seen through the noise; variants are interleaved,
 * medians of the rounds are told. 512 items of 373 bytes with seven attributes, each request in memory of its own.
 *
 *   node test/bench/agent-processors-alone.mjs [--rounds 7] [--only filter] [--agent <folder of another agent>]
 */
import { parseArgs } from 'node:util';
import { serviceRequest } from './agent/load.mjs';
import { logsRequest, metricsRequest } from './agent/logs-and-metrics.mjs';
import { PROCESSOR_WORKS } from './hop/processor-works.mjs';

const { values: args } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    only: { type: 'string' },
    agent: { type: 'string', default: new URL('../../agent', import.meta.url).pathname },
    requests: { type: 'string', default: '400' },
  },
});
const ROUNDS = Number(args.rounds);
const REQUESTS = Number(args.requests);
const ITEMS = 512;
/** More than the caches hold, as a request comes from the socket only once. */
const COPIES = 40;

const { load } = await import(`${args.agent}/config/load.ts`);
const { createProcessor } = await import(`${args.agent}/process/create-processor.ts`);
const { ProcessorCounters } = await import(`${args.agent}/telemetry/counters.ts`);
const { giveStore } = await import(`${args.agent}/admit/slab.ts`);
const { scan } = await import(`${args.agent}/otlp/wire.ts`);

const upsert = { key: 'deployment', value: 'blue', action: 'upsert' };
const sampler = (mode, percentage) => ['traces', 'probabilistic_sampler', { mode, sampling_percentage: percentage }];
const filter = (...span) => ['traces', 'filter', { traces: { span } }];
const VARIANTS = {
  'scan traces': ['traces'],
  'scan logs': ['logs'],
  'scan metrics': ['metrics'],
  'resource upsert': ['traces', 'resource', { attributes: [{ key: 'k8s.cluster.name', value: 'a', action: 'upsert' }] }],
  'attributes upsert': ['traces', 'attributes', { actions: [upsert] }],
  'attributes upsert, delete': ['traces', 'attributes', { actions: [upsert, { key: 'user.id', action: 'delete' }] }],
  'attributes update of none': ['traces', 'attributes', { actions: [{ ...upsert, action: 'update' }] }],
  'attributes hash': ['traces', 'attributes', { actions: [{ key: 'user.id', action: 'hash' }] }],
  'attributes include services': ['traces', 'attributes', { include: { match_type: 'strict', services: ['cart'] }, actions: [upsert] }],
  'attributes of logs': ['logs', 'attributes', { actions: [upsert] }],
  'attributes of metrics': ['metrics', 'attributes', { actions: [upsert] }],
  'filter attribute, none': filter('attributes["http.route"] == "/health"'),
  'filter attribute, all': filter('attributes["http.route"] == "/cart/{id}"'),
  'filter attribute, third': filter('attributes["http.request.method"] == "POST"'),
  'filter name IsMatch': filter('IsMatch(name, "^GET /health.*")'),
  'filter kind and status': filter('kind == SPAN_KIND_SERVER and status.code == STATUS_CODE_ERROR'),
  'filter resource attribute': filter('resource.attributes["service.name"] == "health"'),
  'filter exclude services': ['traces', 'filter', { spans: { exclude: { match_type: 'strict', services: ['health'] } } }],
  'filter exclude attribute': [
    'traces',
    'filter',
    { spans: { exclude: { match_type: 'strict', attributes: [{ key: 'http.route', value: '/health' }] } } },
  ],
  'filter general (Len)': filter('Len(attributes) > 100'),
  'filter logs severity': ['logs', 'filter', { logs: { log_record: ['severity_number < SEVERITY_NUMBER_INFO'] } }],
  'sampler hash_seed 10 %': sampler('hash_seed', 10),
  'sampler hash_seed 100 %': sampler('hash_seed', 100),
  'sampler equalizing 100 %': sampler('equalizing', 100),
  'sampler proportional 10 %': sampler('proportional', 10),
};
// The same as beside the Collector.
for (const [name, { signal, processors }] of Object.entries(PROCESSOR_WORKS)) {
  const [kind] = Object.keys(processors);
  if (kind !== undefined) VARIANTS[name] = [signal, kind, processors[kind]];
}

const BODIES = { traces: serviceRequest(ITEMS, 373), logs: logsRequest(ITEMS, 373), metrics: metricsRequest(ITEMS) };
const copies = Object.fromEntries(
  Object.entries(BODIES).map(([signal, body]) => [signal, Array.from({ length: COPIES }, () => Buffer.from(body))]),
);

const log = { debug() {}, info() {}, warn() {}, error() {} };
const runs = Object.entries(VARIANTS)
  .filter(([name]) => args.only === undefined || name.includes(args.only))
  .map(([name, [signal, kind, config]]) => ({ name, signal, act: actor(signal, kind, config), times: [] }));

function actor(signal, kind, own) {
  if (kind === undefined) return (buf) => scan(signal, buf);
  const config = {
    receivers: { otlp: { protocols: { grpc: { endpoint: '127.0.0.1:0' } } } },
    processors: { [kind]: own },
    exporters: { nop: null },
    service: { pipelines: { [signal]: { receivers: ['otlp'], processors: [kind], exporters: ['nop'] } } },
  };
  const { settings } = load({ configs: [`yaml:${JSON.stringify(config)}`], environment: {} });
  const processor = createProcessor(settings.processors[kind], signal, {
    log,
    counters: new ProcessorCounters(kind, kind, signal),
    prepared: new Map(),
  });
  return (buf) => {
    const result = processor.process({ slices: [buf], bytes: buf.length, items: ITEMS }, undefined);
    if (typeof result === 'string') throw new Error(result);
    // As the grant does when the request was delivered.
    if (result.store !== undefined) giveStore(result.store);
    return result;
  };
}

for (let round = 0; round <= ROUNDS; round += 1) {
  for (const { signal, act, times } of runs) {
    const before = process.cpuUsage();
    for (let i = 0; i < REQUESTS; i += 1) act(copies[signal][i % COPIES]);
    const { user, system } = process.cpuUsage(before);
    if (round > 0) times.push(((user + system) * 1000) / (REQUESTS * ITEMS));
  }
}
for (const { name, signal, act, times } of runs) {
  times.sort((a, b) => a - b);
  const out = act(copies[signal][0]);
  const shape = out.slices === undefined ? '' : `  ${out.slices.length} slices, ${out.items} items`;
  console.log(
    `${name.padEnd(34)} ${times[times.length >> 1].toFixed(0).padStart(6)} ns (${times[0].toFixed(0)} to ${times.at(-1).toFixed(0)})${shape}`,
  );
}

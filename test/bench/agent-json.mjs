/**
 * CPU seconds per million spans of OTLP/JSON in both directions: the agent's codec on bytes, beside the two ways with values that a
 * library would go: JSON.parse and protobufjs, and JSON.parse with a reviver that keeps the text of every number (64-bit integers).
 *
 *   npm run bench -- agent-json [--rounds 5] [--million 0.25]
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import protobuf from 'protobufjs';
import { jsonToProto, protoToJson } from '../../agent/otlp/json/json.ts';
import { serviceRequest } from './agent/load.mjs';
import { facts, ROOT } from './lib/machine.mjs';
import { writeResult } from './lib/result-file.mjs';
import { median } from './lib/statistics.mjs';

const { values: args } = parseArgs({ options: { rounds: { type: 'string', default: '5' }, million: { type: 'string', default: '0.25' } } });
const ROUNDS = Number(args.rounds);
const FACTS = facts();
const SPANS = 512;
const SPAN_BYTES = 735;
const REPEATS = Math.ceil((Number(args.million) * 1e6) / SPANS);

const proto = serviceRequest(SPANS, SPAN_BYTES);
const json = Buffer.from(protoToJson('traces', [proto]));
if (!Buffer.from(jsonToProto('traces', json)).equals(proto)) throw new Error('the request does not survive JSON');

const schema = new protobuf.Root();
schema.resolvePath = (_origin, target) => join(ROOT, 'agent/otlp/proto', target);
schema.loadSync('opentelemetry/proto/collector/trace/v1/trace_service.proto');
const type = schema.lookupType('opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest');

const variants = {
  'JSON to protobuf, the agent': () => jsonToProto('traces', json),
  'protobuf to JSON, the agent': () => protoToJson('traces', [proto]),
  'JSON.parse alone': () => JSON.parse(json.toString()),
  'JSON.parse, reviver that keeps numbers': () =>
    JSON.parse(json.toString(), (_key, value, context) => (typeof value === 'number' ? context.source : value)),
  'JSON.parse and protobufjs encode': () => type.encode(type.fromObject(JSON.parse(json.toString()))).finish(),
  'protobufjs decode and JSON.stringify': () =>
    Buffer.from(JSON.stringify(type.toObject(type.decode(proto), { longs: String, bytes: String }))),
};

const runs = Object.fromEntries(Object.keys(variants).map((name) => [name, []]));
for (let round = 0; round <= ROUNDS; round += 1) {
  for (const [name, run] of Object.entries(variants)) {
    const before = process.cpuUsage();
    for (let i = 0; i < REPEATS; i += 1) run();
    const { user, system } = process.cpuUsage(before);
    if (round > 0) runs[name].push((user + system) / (REPEATS * SPANS)); // the first warms up
  }
}

const results = Object.fromEntries(Object.entries(runs).map(([name, list]) => [name, { cpuPerMillion: median(list), runs: list }]));
const file = {
  what: `CPU seconds per million spans of ${SPAN_BYTES} bytes in protobuf and ${Math.round(json.length / SPANS)} in JSON, ${SPANS} a request, in one process`,
  ...FACTS,
  rounds: ROUNDS,
  results,
};
writeResult('agent-json', file);
for (const [name, { cpuPerMillion }] of Object.entries(results))
  console.log(`${name.padEnd(40)} ${cpuPerMillion.toFixed(2)} CPU s per million spans`);

/**
 * CPU microseconds of a span, by what writes the protobuf of a batch of 512: the exporters' own encoder (agent/library/opentelemetry/encode)
 * beside the official serializer. Both take batches that were just made, in turns, as an exporter gets them: out of the caches and the heap
 * of a program that goes on. The bytes have to be equal.
 *
 *   npm run bench -- library-encode [--rounds 1000]
 */
import { parseArgs } from 'node:util';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { encode } from '../../agent/library/opentelemetry/encode/encode.ts';
import { writeTraces } from '../../agent/library/opentelemetry/encode/traces.ts';
import { make } from './library/span.mjs';

const { values: args } = parseArgs({ options: { rounds: { type: 'string', default: '1000' } } });
const ROUNDS = Number(args.rounds);
const WARM_UP = 100;
const SPANS = 512;

const memory = new InMemorySpanExporter();
const provider = new TracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'bench', 'service.version': '1.2.3', 'host.name': 'bench-1' }),
  spanProcessors: [new SimpleSpanProcessor({ exporter: memory })],
});
const tracer = provider.getTracer('bench');
const variants = {
  'the official serializer': (batch) => ProtobufTraceSerializer.serializeRequest(batch),
  'the agent': (batch) => encode(writeTraces, batch),
};

const first = batch(0);
const [official, own] = Object.values(variants).map((write) => Buffer.from(write(first)));
if (!own.equals(official)) throw new Error('the bytes differ');
const microseconds = Object.fromEntries(Object.keys(variants).map((name) => [name, 0]));
for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
  for (const [name, write] of Object.entries(variants)) {
    const spans = batch(round * SPANS);
    // CPU time, as wall time would be that of whoever else is on the machine; it comes in ticks, so only the sum says something.
    const before = process.threadCpuUsage();
    write(spans);
    const { user, system } = process.threadCpuUsage(before);
    if (round >= WARM_UP) microseconds[name] += user + system;
  }
}
for (const [name, sum] of Object.entries(microseconds))
  console.log(`${name.padEnd(24)} ${(sum / ROUNDS / SPANS).toFixed(2)} microseconds a span`);

function batch(from) {
  memory.reset();
  for (let i = 0; i < SPANS; i += 1) make(tracer, from + i);
  return [...memory.getFinishedSpans()];
}

/** Why short strings are written by a loop: nanoseconds of a string, by its characters. */
const target = Buffer.allocUnsafeSlow(4096);
const ways = {
  'a loop': (text) => {
    for (let i = 0; i < text.length; i += 1) target[i] = text.charCodeAt(i);
  },
  'Buffer.write': (text) => target.write(text, 0, 'utf8'),
};
const STRINGS = 200_000;
for (const length of [4, 8, 12, 16, 24, 48]) {
  const texts = Object.keys(
    Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`${'abcdefgh'.repeat(6)}${100 + i}`.slice(-length), 0])),
  );
  const said = Object.entries(ways).map(([name, write]) => {
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 7; round += 1) {
      const before = performance.now();
      for (let i = 0; i < STRINGS; i += 1) write(texts[i & 63]);
      least = Math.min(least, performance.now() - before);
    }
    return `${name} ${((least / STRINGS) * 1e6).toFixed(0)} ns`;
  });
  console.log(`${String(length).padStart(3)} characters: ${said.join(', ')}`);
}

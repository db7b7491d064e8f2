import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SIGNALS, type Signal } from '../../agent/config/settings.ts';
import { scan } from '../../agent/otlp/wire.ts';
import { finish, type Running, startAgent } from '../agent/kit/agent.ts';
import { decode, type Message, REQUEST_TYPES } from '../agent/kit/otlp.ts';
import { httpExporter, PATHS, QUEUE, RETRY } from '../agent/kit/settings.ts';
import { httpSink, type Sink } from '../agent/kit/sink.ts';
import { asOtlpJson, requestArbitrary, stringify } from '../agent/otlp/json/arbitrary.ts';
import { ODD } from '../agent/otlp/json/odd.ts';
import { EXCEPTIONS } from './json.exceptions.ts';
import { canonical } from './json-canonical.ts';
import { describeReal, freePorts, startOtelcol } from './support/index.ts';

/** Generated requests of each signal; any seed is as good, and it is printed with what fails. */
const GENERATED = Number(process.env.OTLP_JSON_REQUESTS ?? 150);
const SEED = Number(process.env.OTLP_JSON_SEED ?? 2026);

interface Verdict {
  readonly status: number;
  /** What went on, decoded; undefined where nothing did. */
  readonly data: unknown;
}

/** A program that takes OTLP/JSON and sends protobuf on, one request after the other. */
interface Subject {
  readonly port: number;
  readonly sink: Sink;
}

async function ask({ port, sink }: Subject, signal: Signal, body: string | Buffer): Promise<Verdict> {
  const before = sink.received.length;
  const response = await fetch(`http://127.0.0.1:${port}${PATHS[signal]}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: body as RequestInit['body'],
  });
  await response.arrayBuffer();
  const got = sink.received[before];
  expect(sink.received.length - before, 'one request makes at most one').toBeLessThan(2);
  return { status: response.status, data: got === undefined ? undefined : dataOf(signal, got.body) };
}

function dataOf(signal: Signal, body: Buffer): unknown {
  // A dictionary without samples: the Collector keeps it to itself, ours sends it on, and nobody misses it.
  if (signal === 'profiles' && itemsOf(signal, body) === 0) return undefined;
  try {
    return canonical(REQUEST_TYPES[signal], decode(signal, body));
  } catch {
    return 'protobuf with texts that are not UTF-8';
  }
}

function itemsOf(signal: Signal, body: Buffer): number {
  const found = scan(signal, body);
  return found.ok ? found.items : -1;
}

describeReal(['otelcol'], 'OTLP/JSON and the real Collector', () => {
  const sinks: Sink[] = [];
  let collector: Subject;
  let ours: Subject;
  let running: Running;

  beforeAll(async () => {
    const theirSink = await httpSink();
    const ourSink = await httpSink();
    sinks.push(theirSink, ourSink);
    const { http } = await freePorts('http');
    const direct = { sending_queue: { enabled: false }, retry_on_failure: { enabled: false } };
    await startOtelcol({
      args: ['--feature-gates=service.profilesSupport'],
      config: {
        receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${http}` } } } },
        exporters: {
          otlp_http: {
            endpoint: `http://127.0.0.1:${theirSink.port}`,
            compression: 'none',
            profiles_endpoint: `http://127.0.0.1:${theirSink.port}/v1development/profiles`,
            ...direct,
          },
        },
        service: {
          telemetry: { metrics: { level: 'none' } },
          pipelines: Object.fromEntries(SIGNALS.map((signal) => [signal, { receivers: ['otlp'], exporters: ['otlp_http'] }])),
        },
      },
    });
    collector = { port: http, sink: theirSink };
    const queue = { ...QUEUE, enabled: false };
    running = await startAgent({ exporters: [httpExporter(ourSink.port, { queue, retry: { ...RETRY, enabled: false } })] });
    ours = { port: running.httpPort, sink: ourSink };
  });
  afterAll(async () => {
    await finish(running);
    for (const sink of sinks) await sink.close();
  });

  it(`takes ${ODD.length} odd bodies as the Collector does, or differs for a reason that is written down`, async () => {
    const unexpected: string[] = [];
    const used = new Set<string>();
    for (const { what, signal, body } of ODD) {
      const theirs = await ask(collector, signal, body);
      const mine = await ask(ours, signal, body);
      if (same(theirs, mine)) continue;
      const exception = EXCEPTIONS[what];
      if (exception !== undefined && exception.collector === theirs.status && exception.ours === mine.status) {
        used.add(what);
        continue;
      }
      unexpected.push(`${what}: collector ${said(theirs)}, ours ${said(mine)}`);
    }
    expect(unexpected).toEqual([]);
    expect(
      Object.keys(EXCEPTIONS).filter((what) => !used.has(what)),
      'exceptions that are none any more',
    ).toEqual([]);
  });

  it.each(SIGNALS)(`sends the same data on for ${GENERATED} generated requests of %s`, async (signal) => {
    const samples = fc.sample(requestArbitrary(signal), { seed: SEED, numRuns: GENERATED });
    let carried = 0;
    for (const [index, message] of samples.entries()) {
      const body = stringify(asOtlpJson(REQUEST_TYPES[signal], message as Message));
      const theirs = await ask(collector, signal, body);
      const mine = await ask(ours, signal, body);
      expect({ index, ...mine }, `seed ${SEED}: ${body}`).toEqual({ index, ...theirs });
      if (mine.data !== undefined) carried += 1;
    }
    expect(carried).toBeGreaterThan(GENERATED / 4);
  });
});

const said = ({ status, data }: Verdict): string => `${status} ${JSON.stringify(data)?.slice(0, 300)}`;

function same(a: Verdict, b: Verdict): boolean {
  return a.status === b.status && JSON.stringify(a.data) === JSON.stringify(b.data);
}

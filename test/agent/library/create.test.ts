import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, create, type ShortConfig } from '../../../agent/index.ts';
import { type LogLine, recordingLog } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { httpSink } from '../kit/sink.ts';
import { agentTo, end, keep, sinkOf } from './support/embedded.ts';

describe('create', () => {
  it('takes the short form, opens no port, and delivers byte for byte', async () => {
    const sink = await sinkOf();
    const agent = await agentTo(sink);
    expect(agent.addresses).toEqual({});
    const body = request('traces', 6);
    expect(agent.offer('traces', body)).toBe('taken');
    const { books } = await end(agent);
    expect(books.total).toMatchObject({ received: 6, accepted: 6, sent: 6 });
    expect(sink.received.map((one) => one.body)).toEqual([body]);
  });

  it('takes the short form over HTTP, with headers and compression', async () => {
    const sink = keep(await httpSink());
    const exporter = {
      protocol: 'http/protobuf',
      endpoint: `http://127.0.0.1:${sink.port}`,
      compression: 'gzip',
      headers: { 'X-Tenant': 'shop' },
    } as const;
    const agent = keep(await create({ exporter, signals: ['logs', 'profiles'] }));
    expect(await agent.sendRaw('logs', request('logs', 3))).toMatchObject({ kind: 'ok' });
    expect(await agent.sendRaw('profiles', request('profiles', 2))).toMatchObject({ kind: 'ok' });
    expect(agent.offer('traces', request('traces', 1))).toMatchObject({
      code: 'OTLP_NO_PIPELINE',
      retryable: false,
      retryAfterMs: undefined,
    });
    expect(sink.received.map(({ signal, items, headers }) => [signal, items, headers['x-tenant']])).toEqual([
      ['logs', 3, 'shop'],
      ['profiles', 2, 'shop'],
    ]);
  });

  it('takes an object in the grammar of the Collector: pipelines that name no receiver are fed by calls, processors run', async () => {
    const [near, far] = [await sinkOf(), await sinkOf()];
    const agent = keep(
      await create(
        {
          processors: { resource: { attributes: [{ key: 'team', value: 'shop', action: 'insert' }] } },
          exporters: {
            otlp_grpc: { endpoint: `127.0.0.1:${near.port}`, tls: { insecure: true } },
            'otlp_grpc/far': { endpoint: '127.0.0.1:${env:FAR}', tls: { insecure: true } },
          },
          service: {
            pipelines: {
              traces: { processors: ['resource'], exporters: ['otlp_grpc', 'otlp_grpc/far'] },
              logs: { exporters: ['otlp_grpc/far'] },
            },
          },
        },
        { environment: { FAR: String(far.port) } },
      ),
    );
    expect(await agent.sendRaw('traces', request('traces', 2))).toMatchObject({ kind: 'ok' });
    expect(await agent.sendRaw('logs', request('logs', 5))).toMatchObject({ kind: 'ok' });
    expect([near.delivered(), far.delivered()]).toEqual([2, 7]);
    expect(near.received[0]?.body.includes('team')).toBe(true);
    await end(agent);
  });

  it.each([
    ['a text of several lines', (yaml: string) => yaml],
    ['yaml: and a text', (yaml: string) => `yaml:${yaml}`],
    [
      'a path',
      (yaml: string) => {
        const path = join(mkdtempSync(join(tmpdir(), 'otlp-embed-')), 'agent.yaml');
        writeFileSync(path, yaml);
        return path;
      },
    ],
  ])('takes YAML as %s', async (_name, form) => {
    const sink = await sinkOf();
    const yaml = `receivers: { library: , otlp: { protocols: { http: { endpoint: "127.0.0.1:0" } } } }
exporters: { otlp_grpc: { endpoint: "127.0.0.1:${sink.port}", tls: { insecure: true } } }
service: { pipelines: { traces: { receivers: [library, otlp], exporters: [otlp_grpc] } } }
`;
    const agent = keep(await create(form(yaml)));
    // Its sockets are there, a metrics server that nobody asked for is not.
    expect(Object.keys(agent.addresses)).toEqual(['otlp/http']);
    expect(await agent.sendRaw('traces', request('traces', 2))).toMatchObject({ kind: 'ok' });
    await end(agent);
  });

  it('has a metrics server where it is written, and the same text without one', async () => {
    const sink = await sinkOf();
    const exporters = { otlp_grpc: { endpoint: `127.0.0.1:${sink.port}`, tls: { insecure: true } } };
    const readers = [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port: 0 } } } }];
    const service = { pipelines: { traces: { exporters: ['otlp_grpc'] } }, telemetry: { metrics: { readers } } };
    const agent = keep(await create({ exporters, service }));
    await agent.sendRaw('traces', request('traces', 2));
    const address = agent.addresses.metrics;
    const served = await (await fetch(`http://127.0.0.1:${address?.kind === 'tcp' ? address.port : 0}/metrics`)).text();
    for (const text of [served, await agent.metrics()]) {
      expect(text).toMatch(/^otelcol_receiver_accepted_spans(_total)?\{.*receiver="library".*transport="library".*\} 2$/m);
    }
    await end(agent);
  });

  it('says nothing on stdout, and what happens to the log that it is given', async () => {
    const lines: LogLine[] = [];
    const sink = await sinkOf();
    const agent = await agentTo(sink, {}, { log: recordingLog(lines) });
    await end(agent);
    expect(lines.map(({ event }) => event)).toEqual(['started', 'draining', 'drained']);
  });

  it('fails with every problem, named as it was written', async () => {
    const failure = async (config: unknown): Promise<string[]> => {
      const error: unknown = await create(config as ShortConfig, { environment: {} }).catch((thrown: unknown) => thrown);
      if (!(error instanceof ConfigError)) throw new Error(`no ConfigError: ${String(error)}`);
      return error.message.split('\n').slice(1);
    };
    expect(
      await failure({ exporter: { endpoint: 'a:1', endpont: 'b' }, queue: { queue_size: 'many' }, retry: { multiplier: 'x' } }),
    ).toEqual([
      expect.stringMatching(/the configuration object: exporter\.endpont: unknown key.*did you mean "endpoint"/),
      expect.stringMatching(/the configuration object: queue\.queue_size: \("many"\) wants an integer/),
      expect.stringMatching(/the configuration object: retry\.multiplier: \("x"\) wants a number/),
    ]);
    expect(await failure({ exporter: { endpoint: 'a:1' } })).toEqual([expect.stringMatching(/exporter\.tls: .*tls\.insecure: true/)]);
    expect(await failure({ exporter: {}, quue: {} })).toEqual([expect.stringMatching(/quue: unknown key "quue"; did you mean "queue"/)]);
    expect(await failure({ exporter: { protocol: 'http/json' } })).toEqual([
      expect.stringMatching(/exporter\.protocol: .*one of grpc, http\/protobuf/),
    ]);
    expect(await failure({})).not.toEqual([]);
    for (const nothing of [undefined, null, 5, []])
      expect(await failure(nothing)).toEqual([expect.stringContaining('wants an object, a path or YAML')]);
    expect(await failure('/no/such/file.yaml')).toEqual([expect.stringContaining('there is no such file')]);
    const empty = { exporters: { nop: {} }, service: { pipelines: { traces: { receivers: [], exporters: ['nop'] } } } };
    expect(await failure(empty)).toEqual(expect.arrayContaining([expect.stringContaining('needs at least one receiver')]));
  });
});

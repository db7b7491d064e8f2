import { writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { GrpcClient } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { grpcSink, type Sink } from '../kit/sink.ts';
import { configFile, Program } from '../support/program.ts';
import { type ConnectedShape, configOf } from './connected-agent.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function sink(): Promise<Sink> {
  const made = await grpcSink();
  open.push(made);
  return made;
}

const requestNames = ({ received }: Sink): string[] =>
  received.filter(({ signal }) => signal === 'traces').map(({ body }) => /load-\d+-0\/0/u.exec(body.toString('latin1'))?.[0] ?? '');

describe('a reload that adds and removes connectors under load', () => {
  it('refuses no request, loses none and delivers none twice to one backend', async () => {
    const [a, b, counts] = [await sink(), await sink(), await sink()];
    const exporters = { a: { port: a.port }, b: { port: b.port }, counts: { port: counts.port } };
    const traces = { receivers: ['otlp'] };
    const steps: Pick<ConnectedShape, 'connectors' | 'processors' | 'pipelines'>[] = [
      { pipelines: { traces: { ...traces, exporters: ['otlp_grpc/a'] } } },
      {
        connectors: { forward: {} },
        pipelines: {
          traces: { ...traces, exporters: ['forward'] },
          'traces/a': { receivers: ['forward'], exporters: ['otlp_grpc/a'] },
        },
      },
      {
        connectors: { forward: {}, count: {} },
        pipelines: {
          traces: { ...traces, exporters: ['forward', 'count'] },
          'traces/a': { receivers: ['forward'], exporters: ['otlp_grpc/a'] },
          'traces/b': { receivers: ['forward'], exporters: ['otlp_grpc/b'] },
          metrics: { receivers: ['count'], exporters: ['otlp_grpc/counts'] },
        },
      },
      {
        connectors: { 'forward/1': {}, 'forward/2': {} },
        pipelines: {
          traces: { ...traces, exporters: ['forward/1'] },
          'traces/1': { receivers: ['forward/1'], exporters: ['forward/2'] },
          'traces/2': { receivers: ['forward/2'], exporters: ['otlp_grpc/b'] },
        },
      },
      { pipelines: { traces: { ...traces, exporters: ['otlp_grpc/b'] } } },
    ];
    const path = configFile(configOf({ exporters, ...(steps[0] as (typeof steps)[0]) }), 'agent.yaml');
    await using agent = new Program(['--config', path]);
    const address = (await agent.listening())['otlp/grpc'] ?? '';
    const client = new GrpcClient(Number(address.slice(address.lastIndexOf(':') + 1)));
    open.push(client);
    let stopped = false;
    let sent = 0;
    const sending = (async () => {
      for (; !stopped; sent += 1) await client.export('traces', request('traces', 1, `load-${sent}`));
    })();
    for (const [index, step] of steps.slice(1).entries()) {
      writeFileSync(path, configOf({ exporters, ...step }));
      const before = sent;
      agent.signal('SIGHUP');
      await agent.event('configuration reloaded', index + 1);
      while (sent < before + 20) await new Promise((resolve) => setImmediate(resolve));
    }
    stopped = true;
    await sending; // rejects with the first refusal
    agent.signal('SIGTERM');
    expect((await agent.ended).code).toBe(0);
    for (const one of [a, b]) expect(new Set(requestNames(one)).size).toBe(requestNames(one).length);
    expect(new Set([...requestNames(a), ...requestNames(b)]).size).toBe(sent);
    expect(counts.received.every(({ signal }) => signal === 'metrics')).toBe(true);
    expect(counts.received.length).toBeGreaterThan(0);
    const books = agent.lines().find((line) => line.msg === 'drained');
    expect(books).toMatchObject({ accepted: sent, refused: 0, failed: 0, sendFailed: 0, evicted: 0, queued: 0 });
  });
});

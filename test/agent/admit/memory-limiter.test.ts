import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Budget, Grant, REQUEST_BYTES } from '../../../agent/admit/budget.ts';
import { REFUSALS } from '../../../agent/admit/errors.ts';
import { finish, post, startAgent, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { grpcExporter, PATHS } from '../kit/settings.ts';
import { grpcSink } from '../kit/sink.ts';

describe('counting the bytes that are held', () => {
  it('is exact whatever happens to grants, and never above the hard limit by asking', () => {
    const step = fc.record({ grant: fc.nat({ max: 4 }), act: fc.constantFrom('resize', 'retain', 'release'), bytes: fc.nat({ max: 400 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const budget = new Budget('b', 1000, 200);
        const grants = Array.from({ length: 5 }, () => ({ grant: new Grant([budget]), owners: 1, bytes: 0 }));
        for (const { grant: index, act, bytes } of steps) {
          const one = grants[index];
          if (one === undefined || one.owners === 0) continue;
          if (act === 'retain') {
            one.grant.retain(1);
            one.owners += 1;
          } else if (act === 'release') {
            one.grant.release();
            one.owners -= 1;
            if (one.owners === 0) one.bytes = 0;
          } else if (one.grant.resize(bytes)) one.bytes = bytes;
          expect(budget.used).toBe(grants.reduce((sum, g) => sum + g.bytes, 0));
          expect(budget.used).toBeLessThanOrEqual(1000);
        }
      }),
    );
  });

  it('fails loudly when a grant is released more often than it has owners', () => {
    const grant = new Grant([]);
    grant.release();
    expect(() => grant.release()).toThrow('released more often');
  });
});

describe('memory_limiter', () => {
  it('refuses above limit - spike while the next hop hangs, lets in again when it has recovered, and never holds more than the limit', async () => {
    let release = (): void => {};
    const gate = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined);
    });
    const sink = await grpcSink(() => gate);
    const body = request('traces', 20);
    const limitBytes = (REQUEST_BYTES + body.length) * 10;
    const limiter = {
      kind: 'memory_limiter',
      id: 'memory_limiter',
      checkIntervalMs: 1000,
      minGcIntervalSoftMs: 10_000,
      minGcIntervalHardMs: 0,
      limitBytes,
      spikeBytes: limitBytes / 5,
    } as const;
    const running = await startAgent({ exporters: [grpcExporter(sink.port)], processors: [limiter] });
    const statuses: number[] = [];
    for (let i = 0; i < 30; i += 1) {
      statuses.push((await post(running.httpPort, PATHS.traces, body)).status);
      expect(running.agent.heldBytes).toBeLessThanOrEqual(limitBytes);
    }
    expect(statuses.filter((status) => status === 200)).toHaveLength(8);
    expect(statuses.filter((status) => status === 503)).toHaveLength(22);
    const metrics = await running.agent.metrics();
    expect(metrics).toContain('otelcol_processor_memory_limiter_accepted_spans{processor="memory_limiter"} 160');
    expect(metrics).toContain('otlp_agent_memory_limiter_refused_requests{processor="memory_limiter",data_type="traces"} 22');
    release();
    await until(() => running.agent.heldBytes === 0);
    expect((await post(running.httpPort, PATHS.traces, body)).status).toBe(200);
    expect((await finish(running)).total).toMatchObject({ received: 180, accepted: 180, sent: 180 });
    await sink.close();
  });
});

describe('the table of refusals', () => {
  it('gives every code once, with a remedy, and RetryInfo only where another try can help', () => {
    const kinds = Object.values(REFUSALS);
    expect(new Set(kinds.map((kind) => kind.code)).size).toBe(kinds.length);
    for (const kind of kinds) {
      expect(kind.code).toMatch(/^OTLP_[A-Z_]+$/);
      expect(kind.remedy.length).toBeGreaterThan(20);
      // Spec: clients retry 14 and 4 over gRPC, 429, 502, 503, 504 over HTTP; an answer must not say both.
      if (kind.grpc === 14) expect(kind).toMatchObject({ http: 503, retryable: true });
      if ([3, 8, 12, 13].includes(kind.grpc)) expect(kind.retryable).toBe(false);
    }
  });
});

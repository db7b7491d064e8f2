import { afterEach, describe, expect, it } from 'vitest';
import { encodeResponse, encodeStatus } from '../../../agent/otlp/status.ts';
import { finish, post, type Running, startAgent, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { grpcExporter, PATHS, RETRY } from '../kit/settings.ts';
import { type GrpcAnswer, grpcSink, type Sink } from '../kit/sink.ts';

const open: Sink[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** Sends five spans to a next hop that always answers so; resolves when all of them have ended. */
async function ended(answer: GrpcAnswer, retry = RETRY): Promise<Running> {
  const sink = await grpcSink(() => answer);
  open.push(sink);
  const running = await startAgent({ exporters: [grpcExporter(sink.port, { retry })] });
  expect((await post(running.httpPort, PATHS.traces, request('traces', 5))).status).toBe(200);
  await until(() => running.agent.books().total.queued === 0);
  return running;
}

/** otlp_agent_exporter_failed_items as /metrics shows it, by reason. */
async function reasons(running: Running): Promise<Record<string, number>> {
  const lines = (await running.agent.metrics()).split('\n').filter((line) => line.startsWith('otlp_agent_exporter_failed_items{'));
  return Object.fromEntries(lines.map((line) => [/reason="([^"]*)"/.exec(line)?.[1], Number(line.slice(line.lastIndexOf(' ') + 1))]));
}

describe('items that were not delivered are counted by reason', () => {
  const cases: [string, GrpcAnswer, Partial<typeof RETRY>, Record<string, number>][] = [
    ['a part that was rejected', { response: encodeResponse('traces', 2, 'too old') }, {}, { partial_success: 2 }],
    ['more rejected than there were', { response: encodeResponse('traces', 50, 'all of it') }, {}, { partial_success: 5 }],
    ['a warning', { response: encodeResponse('traces', 0, 'soon') }, {}, {}],
    ['a permanent status', { code: 3 }, {}, { INVALID_ARGUMENT: 5 }],
    ['another permanent status', { code: 7 }, {}, { PERMISSION_DENIED: 5 }],
    ['RESOURCE_EXHAUSTED without RetryInfo', { code: 8 }, {}, { RESOURCE_EXHAUSTED: 5 }],
    ['retries without success', { code: 14 }, { maxElapsedMs: 50 }, { retries_exhausted: 5 }],
    ['no retries', { code: 14 }, { enabled: false }, { not_retried: 5 }],
    ['an answer that is too large', { response: Buffer.alloc(5 * 1024 * 1024) }, {}, { answer_unreadable: 5 }],
  ];

  it.each(cases)('%s', async (_name, answer, retry, expected) => {
    const running = await ended(answer, { ...RETRY, ...retry });
    expect(await reasons(running)).toEqual(expected);
    const { total } = await finish(running);
    expect(total.sendFailed).toBe(Object.values(expected).reduce((sum, one) => sum + one, 0));
    expect(total.sent + total.sendFailed).toBe(5);
  });
});

describe('the log', () => {
  it('has what the next hop says of the part that it rejected', async () => {
    const running = await ended({ response: encodeResponse('traces', 2, 'older than a week') });
    expect(running.lines.filter((line) => line.level === 'error')).toEqual([
      {
        level: 'error',
        event: 'the next hop rejected a part',
        fields: { exporter: 'otlp_grpc', signal: 'traces', items: 2, reason: 'older than a week' },
      },
    ]);
    await finish(running);
  });

  it('counts answers that asked to wait', async () => {
    const running = await ended({ code: 14, details: encodeStatus(14, 'busy', 10) }, { ...RETRY, maxElapsedMs: 200 });
    expect(await running.agent.metrics()).toMatch(/^otlp_agent_exporter_throttled\{exporter="otlp_grpc",data_type="traces"\} [1-9]/m);
    await finish(running);
  });
});

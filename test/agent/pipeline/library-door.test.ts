import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Agent, createAgent, type Outcome } from '../../../agent/index.ts';
import { assertBooksBalance, recordingLog } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { frame, RawGrpc } from '../kit/raw-http2.ts';
import { agentSettings, grpcExporter, QUEUE } from '../kit/settings.ts';
import { grpcSink } from '../kit/sink.ts';

async function embedded(port: number): Promise<Agent> {
  const settings = agentSettings({ exporters: [grpcExporter(port, { queue: { ...QUEUE, waitForResult: true } })] });
  return createAgent(
    { ...settings, receivers: {}, extensions: [], telemetry: { logs: settings.telemetry.logs, resource: {} } },
    { log: recordingLog([]) },
  );
}

describe('the agent as a library', () => {
  it('takes requests by a function call, answers with the delivery, and binds no port', async () => {
    const sink = await grpcSink();
    const agent = await embedded(sink.port);
    await agent.start();
    expect(agent.addresses).toEqual({});
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    expect(agent.offer('traces', request('traces', 6), resolve)).toBeUndefined();
    expect(await promise).toMatchObject({ kind: 'ok' });
    const books = await agent.drain(1000);
    expect(books.total).toMatchObject({ received: 6, accepted: 6, sent: 6 });
    await agent.close();
    assertBooksBalance(agent);
    await sink.close();
  });

  it('fails on malformed bytes and while it drains, with the refusal as the answer', async () => {
    const sink = await grpcSink();
    const agent = await embedded(sink.port);
    await agent.start();
    const never = (): void => {
      throw new Error('a refused request was answered');
    };
    expect(agent.offer('traces', Buffer.from('no protobuf'), never)).toMatchObject({ granted: false, kind: { code: 'OTLP_MALFORMED' } });
    await agent.drain(1000);
    expect(agent.offer('traces', request('traces', 1), never)).toMatchObject({ kind: { code: 'OTLP_DRAINING' } });
    await agent.close();
    expect(agent.heldBytes).toBe(0);
    await sink.close();
  });
});

describe('unix sockets', () => {
  it('carry both ways in, and a socket file that a dead process left does not stop the next start', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'otlp-agent-'));
    const sink = await grpcSink();
    const path = join(folder, 'grpc.sock');
    const base = agentSettings({ exporters: [grpcExporter(sink.port)] });
    const otlp = base.receivers.otlp as NonNullable<(typeof base.receivers)[string]>;
    const grpc = { ...(otlp.grpc as NonNullable<typeof otlp.grpc>), address: { kind: 'unix', path } as const };
    for (let round = 0; round < 2; round += 1) {
      const agent = await createAgent({ ...base, receivers: { otlp: { id: 'otlp', grpc } } }, { log: recordingLog([]) });
      await agent.start();
      expect(agent.addresses['otlp/grpc']).toEqual({ kind: 'unix', path });
      const raw = new RawGrpc(connect('http://agent', { createConnection: () => connectSocket(path) }));
      expect(await raw.call([frame(request('traces', 2))])).toMatchObject({ grpcStatus: '0' });
      raw.close();
      expect((await agent.drain(2000)).total).toMatchObject({ accepted: 2, sent: 2 });
      await agent.close();
      assertBooksBalance(agent);
    }
    await sink.close();
    rmSync(folder, { recursive: true });
  });
});

import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { REQUEST_BYTES } from '../../../agent/admit/budget.ts';
import { storeBytes } from '../../../agent/admit/slab.ts';
import type { GrpcServerSettings } from '../../../agent/config/settings.ts';
import { assertBooksBalance, finish, type Running, startAgent, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { frame, RawGrpc } from '../kit/raw-http2.ts';
import { grpcExporter, LIMITS } from '../kit/settings.ts';

const KEEPALIVE = {
  maxConnectionIdleMs: 0,
  maxConnectionAgeMs: 0,
  maxConnectionAgeGraceMs: 0,
  timeMs: 7_200_000,
  timeoutMs: 20_000,
  minPingIntervalMs: 300_000,
  permitWithoutStream: false,
};
let running: Running | undefined;
const clients: RawGrpc[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  if (running !== undefined) await finish(running, 50);
  running = undefined;
});

async function agentWith(grpc: Partial<GrpcServerSettings>): Promise<Running> {
  running = await startAgent({ exporters: [grpcExporter(1)], grpc });
  return running;
}

function client({ grpcPort }: Running): RawGrpc {
  const made = new RawGrpc(grpcPort);
  clients.push(made);
  return made;
}

const ended = (port: number, first: string): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('data', () => {});
    socket.on('close', () => resolve());
    if (first !== '') socket.write(first);
  });

const fault = async ({ agent }: Running, kind: string): Promise<number> =>
  Number(new RegExp(`otlp_agent_connection_errors\\{kind="${kind}"\\} (\\d+)`).exec(await agent.metrics())?.[1] ?? 0);

describe('a gRPC client that stalls', () => {
  it.each([
    ['says nothing', ''],
    ['sends its preface and no SETTINGS', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('and %s is closed after handshake_timeout', async (_what, first) => {
    const agent = await agentWith({ handshakeTimeoutMs: 60 });
    await ended(agent.grpcPort, first);
    expect(await fault(agent, 'handshake_timeout')).toBe(1);
  });

  it('in a message that brings no byte gets DEADLINE_EXCEEDED, and its memory is given back', async () => {
    const agent = await agentWith({ limits: { ...LIMITS, bodyIdleMs: 80 } });
    const { stream, answer } = client(agent).open();
    stream.write(frame(Buffer.alloc(10), 0, 500_000));
    await until(() => agent.agent.heldBytes === REQUEST_BYTES + storeBytes(500_000));
    expect(await answer).toMatchObject({ grpcStatus: '4', grpcMessage: expect.stringContaining('OTLP_BODY_TIMEOUT') });
    expect(agent.agent.heldBytes).toBe(0);
    assertBooksBalance(agent.agent);
  });

  it('and drips its message gets DEADLINE_EXCEEDED, although it always moves', async () => {
    const agent = await agentWith({ limits: { ...LIMITS, bodyIdleMs: 150, minBodyRate: 1000 } });
    const { stream, answer } = client(agent).open();
    stream.write(frame(Buffer.alloc(10), 0, 500_000));
    const drip = setInterval(() => {
      if (stream.writable) stream.write('x');
    }, 10);
    expect((await answer).grpcStatus).toBe('4');
    clearInterval(drip);
  });

  it('and takes no answer is reset after write_timeout', async () => {
    const agent = await agentWith({ limits: { ...LIMITS, writeTimeoutMs: 80 } });
    const made = client(agent);
    await made.call([frame(Buffer.alloc(0))]);
    await new Promise<void>((resolve) => made.session.settings({ initialWindowSize: 0 }, () => resolve()));
    const { stream } = made.open();
    stream.end(frame(request('traces', 1)));
    const code = await new Promise((resolve) => stream.on('close', () => resolve(stream.rstCode)));
    expect(code).toBe(8);
    expect(await fault(agent, 'response_unread')).toBe(1);
  });

  it.each([
    ['its age', { maxConnectionAgeMs: 30, maxConnectionAgeGraceMs: 30 }],
    ['idleness', { maxConnectionIdleMs: 30 }],
  ])('and never hangs up after a GOAWAY for %s holds up nothing: not its place, not the end of the agent', async (_what, life) => {
    const keepalive = { ...KEEPALIVE, ...life };
    const agent = await agentWith({ keepalive, limits: { ...LIMITS, maxConnections: 1 } });
    const stubborn = connect({ port: agent.grpcPort, host: '127.0.0.1', allowHalfOpen: true });
    stubborn.on('error', () => {});
    stubborn.resume();
    stubborn.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]));
    await new Promise((resolve) => stubborn.on('end', resolve));
    let status: string | undefined;
    while (status !== '0') status = (await client(agent).call([frame(Buffer.alloc(0))])).grpcStatus;
    stubborn.destroy();
  });

  it('with headers above 16 KiB is reset, and the connection goes on', async () => {
    const agent = await agentWith({});
    const made = client(agent);
    await made.call([frame(Buffer.alloc(0))]);
    const { stream } = made.open({ 'x-big': 'a'.repeat(20 * 1024) });
    stream.end();
    expect(await new Promise((resolve) => stream.on('close', () => resolve(stream.rstCode)))).toBe(11);
    expect((await client(agent).call([frame(Buffer.alloc(0))])).grpcStatus).toBe('0');
  });

  it('is one of too many: connections above max_connections are closed as they come, the others served', async () => {
    const agent = await agentWith({ limits: { ...LIMITS, maxConnections: 2 } });
    const kept = [client(agent), client(agent)];
    for (const one of kept) expect((await one.call([frame(Buffer.alloc(0))])).grpcStatus).toBe('0');
    await ended(agent.grpcPort, '');
    expect(await fault(agent, 'too_many_connections')).toBe(1);
    kept[0]?.close();
    await until(() => kept[0]?.session.destroyed === true);
    let status: string | undefined;
    while (status !== '0') status = (await client(agent).call([frame(Buffer.alloc(0))])).grpcStatus;
  });

  it('and the many that are opened and left keep nobody out', async () => {
    const agent = await agentWith({ limits: { ...LIMITS, maxConnections: 20 } });
    const left = Array.from({ length: 100 }, () => connect(agent.grpcPort, '127.0.0.1'));
    for (const socket of left) socket.on('error', () => {}).resume();
    await Promise.all(left.slice(0, 80).map((socket) => new Promise((resolve) => socket.on('close', resolve))));
    for (let i = 0; i < 10; i += 1) {
      const one = client(agent);
      expect((await one.call([frame(Buffer.alloc(0))])).grpcStatus).toBe('0');
      one.close();
    }
    for (const socket of left) socket.destroy();
  });

  it('and has max_concurrent_streams open gets the next one refused, and no memory held for it', async () => {
    const agent = await agentWith({ maxConcurrentStreams: 2 });
    const made = client(agent);
    await made.call([frame(Buffer.alloc(0))]);
    const two = [made.open(), made.open()];
    for (const { stream } of two) stream.write(frame(Buffer.alloc(1), 0, 100));
    await until(() => agent.agent.heldBytes === 2 * REQUEST_BYTES + 200);
    for (const { stream } of two) stream.end(Buffer.alloc(99));
    for (const { answer } of two) expect((await answer).grpcStatus).toBe('3');
  });
});

import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { GrpcServerSettings, OtlpGrpcExporterSettings, OtlpReceiverSettings } from '../../../agent/config/settings.ts';
import type { Fate } from '../../../agent/export/grpc-call.ts';
import { GrpcChannel } from '../../../agent/export/grpc-channel.ts';
import type { Encoded } from '../../../agent/export/transport.ts';
import { type Agent, createAgent } from '../../../agent/index.ts';
import type { Outcome } from '../../../agent/runtime/outcome.ts';
import { assertBooksBalance, finish, post, recordingLog, startAgent, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { ownPort } from '../kit/ports.ts';
import { agentSettings, grpcExporter, NO_DEADLINE_MS, PATHS, RETRY } from '../kit/settings.ts';
import { grpcSink } from '../kit/sink.ts';
import { tcpProxy } from '../kit/tcp-proxy.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});
const keep = <T extends { close(): unknown }>(one: T): T => {
  open.push(one);
  return one;
};

/** A next hop over bare node:http2, which does what no gRPC server would. */
interface Hop {
  readonly port: number;
  readonly sessions: ServerHttp2Session[];
  readonly streams: ServerHttp2Stream[];
  close(): Promise<void>;
}

async function hop(onStream: (stream: ServerHttp2Stream) => void, maxConcurrentStreams = 100): Promise<Hop> {
  const server: Http2Server = createServer({ settings: { maxConcurrentStreams } });
  const sessions: ServerHttp2Session[] = [];
  const streams: ServerHttp2Stream[] = [];
  server.on('session', (session) => {
    sessions.push(session);
    session.on('error', () => {});
  });
  server.on('stream', (stream) => {
    streams.push(stream);
    stream.on('error', () => {});
    stream.resume();
    onStream(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return keep({
    port: (server.address() as AddressInfo).port,
    sessions,
    streams,
    close: async () => {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

/** An agent that sends each connection away after so long. */
async function agentWithConnectionAge(ms: number, to: number): Promise<{ readonly agent: Agent; readonly port: number }> {
  const settings = agentSettings({ exporters: [grpcExporter(to)] });
  const otlp = settings.receivers.otlp as OtlpReceiverSettings;
  const grpc = otlp.grpc as GrpcServerSettings;
  const aged = { ...otlp, grpc: { ...grpc, keepalive: { ...grpc.keepalive, maxConnectionAgeMs: ms } } };
  const agent = await createAgent({ ...settings, receivers: { otlp: aged } }, { log: recordingLog([]) });
  await agent.start();
  const address = agent.addresses['otlp/grpc'];
  return { agent, port: address?.kind === 'tcp' ? address.port : 0 };
}

function ok(stream: ServerHttp2Stream): void {
  if (!stream.destroyed) stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '0' }, { endStream: true });
}

const BODY: Encoded = {
  signal: 'traces',
  slices: [request('traces', 1)],
  bytes: request('traces', 1).length,
  items: 1,
  encoding: 'identity',
};

interface Told {
  readonly outcome: Outcome;
  readonly fate: Fate;
  readonly body: Encoded;
}

function channel(port: number, more: Partial<OtlpGrpcExporterSettings> = {}): { send(): Promise<Told>; readonly channel: GrpcChannel } {
  const settings = grpcExporter(port, more);
  const made = keep(new GrpcChannel(settings, settings.address));
  const send = (): Promise<Told> => {
    const body = { ...BODY };
    return new Promise((resolve) => made.send(body, (outcome, fate) => resolve({ outcome, fate, body })));
  };
  return { channel: made, send };
}

/** Calls again and again, as a retry does, until there is an answer. */
async function untilAnswered(send: () => Promise<Told>): Promise<void> {
  while ((await send()).outcome.kind !== 'ok') await new Promise((resolve) => setTimeout(resolve, 2));
}

describe('how many connections', () => {
  it('one, however many calls, until the streams that the peer allows are used up; then one more, to the limit', async () => {
    const held: ServerHttp2Stream[] = [];
    const next = await hop((stream) => void held.push(stream), 2);
    const { send, channel: made } = channel(next.port, { connections: { max: 3, idleTimeoutMs: 0 } });
    const first = send();
    await until(() => held.length === 1);
    expect(next.sessions).toHaveLength(1);
    const calls = [first, send()];
    await until(() => held.length === 2);
    expect(next.sessions).toHaveLength(1);
    calls.push(send(), send());
    await until(() => held.length === 4);
    expect(next.sessions).toHaveLength(2);
    calls.push(send());
    await until(() => held.length === 5);
    // The limit: what is above waits on a connection until the peer has a free stream.
    for (let i = 0; i < 4; i += 1) calls.push(send());
    await until(() => held.length === 6);
    expect([next.sessions.length, made.connections]).toEqual([3, 3]);
    while (calls.length > 0) {
      for (const stream of held.splice(0)) ok(stream);
      const done = await Promise.race([Promise.all(calls), new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 5))]);
      if (done === undefined) continue;
      expect(done.map(({ outcome }) => outcome.kind)).toEqual(done.map(() => 'ok'));
      break;
    }
    expect(next.sessions).toHaveLength(3);
  });

  it('closes a connection that had no calls for the idle time, the last one too, and opens one when it is needed', async () => {
    const next = await hop(ok);
    const { send, channel: made } = channel(next.port, { connections: { max: 2, idleTimeoutMs: 30 } });
    expect((await send()).outcome.kind).toBe('ok');
    expect(made.connections).toBe(1);
    await until(() => next.sessions[0]?.destroyed === true);
    expect(made.connections).toBe(0);
    expect((await send()).outcome.kind).toBe('ok');
    expect(next.sessions).toHaveLength(2);
  });
});

describe('a peer that says goodbye', () => {
  it('GOAWAY: what it had not looked at goes out on another connection at once, what it had is answered, nothing twice', async () => {
    let goaway = false;
    const next = await hop((stream) => {
      const session = stream.session as ServerHttp2Session;
      if (next.sessions.length > 1 || !goaway) {
        setTimeout(() => ok(stream), goaway ? 0 : 30);
        return;
      }
      // RFC 9113, 6.8: streams above the last one that GOAWAY names were not and will not be processed.
      session.goaway(0, (stream.id as number) - 2);
    });
    const { send } = channel(next.port);
    const before = [send(), send()];
    await until(() => next.streams.length === 2);
    goaway = true;
    const after = await send();
    expect(after).toMatchObject({ outcome: { kind: 'ok' }, fate: 'answered' });
    expect((await Promise.all(before)).map(({ outcome }) => outcome.kind)).toEqual(['ok', 'ok']);
    expect(next.sessions).toHaveLength(2);
    expect(next.streams).toHaveLength(4);
  });

  it('REFUSED_STREAM is sent again at once, but not without end', async () => {
    const next = await hop((stream) => stream.close(7));
    const { send } = channel(next.port);
    const told = await send();
    expect(told).toMatchObject({ outcome: { kind: 'retry', code: 14 }, fate: 'refused' });
    expect(next.streams).toHaveLength(4);
    expect(told.body.stillRead, 'what is in the socket goes on to whoever refused it').toBe(true);
  });

  it('a stream that is reset with any other code is not sent again by itself: nobody knows what became of it', async () => {
    const next = await hop((stream) => stream.close(2));
    const { send } = channel(next.port);
    expect(await send()).toMatchObject({ outcome: { kind: 'retry', code: 14 }, fate: 'broken' });
    expect(next.streams).toHaveLength(1);
  });

  it('max_connection_age of the next hop: one connection after the other, every item once', async () => {
    const sink = keep(await grpcSink());
    const next = await agentWithConnectionAge(40, sink.port);
    const running = await startAgent({ exporters: [grpcExporter(next.port)] });
    let sent = 0;
    for (let i = 0; i < 100; i += 1) {
      const answers = await Promise.all([1, 2, 3].map((items) => post(running.httpPort, PATHS.traces, request('traces', items, `r${i}`))));
      sent += 6;
      expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
    }
    expect((await finish(running)).total).toMatchObject({ accepted: sent, sent, sendFailed: 0, evicted: 0 });
    await next.agent.drain(NO_DEADLINE_MS);
    await next.agent.close();
    expect(assertBooksBalance(next.agent).total).toMatchObject({ received: sent, accepted: sent, sent });
    expect(sink.delivered()).toBe(sent);
  });
});

describe('a peer that is silent', () => {
  it('keepalive: no answer to a ping ends the connection, calls under way are told, the next call has a new one', async () => {
    const next = await hop(() => {});
    const proxy = keep(await tcpProxy(() => next.port));
    const { send, channel: made } = channel(proxy.port, {
      timeoutMs: 60_000,
      keepalive: { timeMs: 20, timeoutMs: 30, permitWithoutStream: false },
    });
    const call = send();
    await until(() => next.streams.length === 1);
    proxy.freeze();
    expect(await call).toMatchObject({ outcome: { kind: 'retry', message: expect.stringContaining('ping') }, fate: 'broken' });
    expect(made.connections).toBe(0);
    void send();
    await until(() => proxy.taken === 2);
  });

  it('keepalive pings a quiet connection only with permit_without_stream', async () => {
    const next = await hop(ok);
    const pings = async (permitWithoutStream: boolean): Promise<() => number> => {
      const { send } = channel(next.port, { keepalive: { timeMs: 10, timeoutMs: 60_000, permitWithoutStream } });
      await send();
      let count = 0;
      next.sessions.at(-1)?.on('ping', () => {
        count += 1;
      });
      return () => count;
    };
    const without = await pings(false);
    const permitted = await pings(true);
    // Both timers run: as long as one pings ten times, the other does not.
    await until(() => permitted() >= 10);
    expect(without()).toBe(0);
  });

  it('without keepalive: after a call without an answer the next one takes another connection', async () => {
    const next = await hop(ok);
    const proxy = keep(await tcpProxy(() => next.port));
    const { send } = channel(proxy.port, { timeoutMs: 500 });
    // A call that is late on a busy machine costs its connection nothing, as its ping is answered.
    await untilAnswered(send);
    const { taken } = proxy;
    proxy.freeze();
    expect(await send()).toMatchObject({ outcome: { kind: 'retry', code: 4 }, fate: 'silent' });
    await untilAnswered(send);
    expect(proxy.taken).toBeGreaterThan(taken);
  });

  it('a slow server is not taken for a dead one: its ping is answered and its connection stays', async () => {
    let slow = true;
    const next = await hop((stream) => {
      if (!slow) ok(stream);
    });
    const { send } = channel(next.port, { timeoutMs: 40, connections: { max: 1, idleTimeoutMs: 0 } });
    expect((await send()).fate).toBe('silent');
    slow = false;
    // On a busy machine some of them are late, too: every one of their pings is answered.
    for (let i = 0; i < 5; i += 1) await untilAnswered(send);
    expect(next.sessions[0]?.destroyed).toBe(false);
    expect(next.sessions, 'all calls on this one').toHaveLength(1);
  });

  it('fails the attempt when nobody answers the connection, and does not wait for the kernel to give up', async () => {
    const listener = createTcpServer(() => {}); // takes connections and says nothing
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    keep({ close: () => listener.close() });
    const { send } = channel((listener.address() as AddressInfo).port, { timeoutMs: 60 });
    expect(await send()).toMatchObject({ outcome: { kind: 'retry', code: 4 } });
  });

  it('the whole agent: packets are dropped under load, then new connections work: everything arrives', async () => {
    const sink = keep(await grpcSink());
    const proxy = keep(await tcpProxy(() => sink.port));
    const running = await startAgent({
      exporters: [grpcExporter(proxy.port, { timeoutMs: 500, retry: { ...RETRY, initialIntervalMs: 5 } })],
    });
    const send = async (name: string): Promise<void> => {
      expect((await post(running.httpPort, PATHS.traces, request('traces', 3, name))).status).toBe(200);
    };
    for (let i = 0; i < 20; i += 1) await send(`before-${i}`);
    // By the agent's books: an answer that is late makes a request come again.
    await until(() => assertBooksBalance(running.agent).total.sent === 60);
    proxy.freeze(true);
    for (let i = 0; i < 20; i += 1) await send(`during-${i}`);
    await until(() => assertBooksBalance(running.agent).total.queued === 60);
    proxy.thaw();
    expect((await finish(running)).total).toMatchObject({ accepted: 120, sent: 120, sendFailed: 0, evicted: 0 });
    expect(new Set(sink.received.map((one) => one.body.toString('latin1'))).size).toBe(40);
  });
});

describe('a peer that is away', () => {
  it('is asked again with growing, jittered waits', async () => {
    let taken = 0;
    const listener = createTcpServer((socket) => {
      taken += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    keep({ close: () => listener.close() });
    const { send } = channel((listener.address() as AddressInfo).port);
    const fates = new Set<Fate>();
    const begun = performance.now();
    while (performance.now() < begun + 600 || !fates.has('unsent')) {
      fates.add((await send()).fate);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    // At once, after 200..300 ms, after 320..480 ms more, and so on, one more than that: not the hundreds of calls that were made.
    let most = 2;
    for (let wait = 200, at = wait; at < performance.now() - begun; wait *= 1.6, at += wait) most += 1;
    expect(taken).toBeGreaterThanOrEqual(1);
    expect(taken).toBeLessThanOrEqual(most);
  });

  it.each(['a b', 'http://x', '\u0000', 'ä', ''])('fails the attempt, not the process, with the authority %j', async (authority) => {
    const next = await hop(ok);
    const { send } = channel(next.port, { authority });
    expect(['ok', 'retry']).toContain((await send()).outcome.kind);
  });

  it.each(['not a host', '[', '999.1.1.1', 'nobody.invalid', 'port'])(
    'fails the attempt, not the process, with the host %j',
    async (host) => {
      const settings = grpcExporter(1, { timeoutMs: 2000 });
      const made = keep(new GrpcChannel(settings, { kind: 'tcp', host, port: host === 'port' ? 70_000 : 4317 }));
      const told = await new Promise<Told>((resolve) => made.send(BODY, (outcome, fate) => resolve({ outcome, fate, body: BODY })));
      expect(told.outcome.kind).toBe('retry');
    },
  );

  it('restarted under load: nothing is lost', async () => {
    const port = await ownPort();
    let sink = await grpcSink(undefined, port);
    const bodies = new Set<string>();
    const remember = (): void => {
      for (const one of sink.received) bodies.add(one.body.toString('latin1'));
    };
    const running = await startAgent({ exporters: [grpcExporter(port)] });
    for (let i = 0; i < 60; i += 1) {
      expect((await post(running.httpPort, PATHS.traces, request('traces', 2, `r${i}`))).status).toBe(200);
      if (i % 20 !== 10) continue;
      await sink.close();
      remember();
      sink = await grpcSink(undefined, port);
    }
    expect((await finish(running)).total).toMatchObject({ accepted: 120, sent: 120, sendFailed: 0 });
    remember();
    await sink.close();
    expect(bodies.size).toBe(60);
  });
});

import { once } from 'node:events';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { GrpcServerSettings, Http2Codec, HttpCodec, HttpServerSettings } from '../../../agent/config/settings.ts';
import { finish, GrpcClient, post, type Running, startAgent } from '../kit/agent.ts';
import { heldProxy } from '../kit/held-proxy.ts';
import { request } from '../kit/otlp.ts';
import { frame, RawGrpc } from '../kit/raw-http2.ts';
import { grpcExporter, PATHS } from '../kit/settings.ts';
import { grpcSink, type Sink } from '../kit/sink.ts';

/** What becomes of connections that are open, in any state, when other receivers take over their addresses. */

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

const PREFACE_BYTES = 24;

interface Target {
  readonly running: Running;
  readonly sink: Sink;
}

async function start(
  codec: HttpCodec & Http2Codec,
  grpc: Partial<GrpcServerSettings> = {},
  http: Partial<HttpServerSettings> = {},
): Promise<Target> {
  const sink = await grpcSink();
  open.push(sink);
  const running = await startAgent({
    exporters: [grpcExporter(sink.port)],
    grpc: { codec, ...grpc },
    http: { http1Codec: codec, ...http },
  });
  return { running, sink };
}

/** Other receivers at the same addresses. */
async function replaceReceivers({ agent }: Running): Promise<void> {
  const { receivers } = agent.settings;
  const otlp = receivers.otlp;
  if (otlp?.grpc === undefined || otlp.http === undefined) throw new Error('no receivers');
  const grpc = { ...otlp.grpc, maxConcurrentStreams: otlp.grpc.maxConcurrentStreams + 1 };
  const http = { ...otlp.http, maxBodyBytes: otlp.http.maxBodyBytes + 1 };
  await agent.reload({ ...agent.settings, receivers: { otlp: { ...otlp, grpc, http } } });
}

/** Connections are accepted in their order: those that were there before this call's have been, too. */
async function callOnNewConnection({ grpcPort, httpPort }: Running, name: string): Promise<void> {
  const raw = new RawGrpc(grpcPort);
  expect((await raw.call([frame(request('traces', 1, `${name}-grpc`))])).grpcStatus).toBe('0');
  raw.close();
  expect((await post(httpPort, PATHS.traces, request('traces', 1, `${name}-http`), { connection: 'close' })).status).toBe(200);
}

/** Ends the agent: every request was accepted, and arrived once. */
async function endWith({ running, sink }: Target, names: readonly string[]): Promise<void> {
  const books = await finish(running);
  const arrived = sink.received.map(({ body }) => /(?:before|after|held|first)(?:-grpc|-http)?-0\/0/u.exec(body.toString('latin1'))?.[0]);
  expect(arrived.sort()).toEqual(names.map((name) => `${name}-0/0`).sort());
  const items = sink.received.reduce((sum, one) => sum + one.items, 0);
  expect(books.total).toMatchObject({ accepted: items, sent: items, refused: 0, failed: 0 });
}

/** Of several hundred bytes, so that it can be held in the middle. */
const HELD = request('traces', 20, 'held');
const AROUND = ['before-grpc', 'before-http', 'after-grpc', 'after-http'];

interface HttpAnswer {
  readonly status: number;
  readonly connection: string | undefined;
}

function httpPost(agent: HttpAgent, port: number, body: Buffer): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length };
    const answered = (response: IncomingMessage): void => {
      response.resume().on('end', () => resolve({ status: response.statusCode ?? 0, connection: response.headers.connection }));
    };
    httpRequest({ agent, port, host: '127.0.0.1', path: PATHS.traces, method: 'POST', headers }, answered).on('error', reject).end(body);
  });
}

describe.each(['own', 'node'] as const)('receivers that are replaced, codec %s', (codec) => {
  it.each([
    ['has said nothing', 0],
    ['has said a part of its preface', 3],
    ['has said more of its preface', 10],
    ['has not sent its SETTINGS', PREFACE_BYTES],
    ['is in the middle of its SETTINGS', PREFACE_BYTES + 12],
    ['is ready, and in the middle of its first call', 300],
  ])('answer the call of a gRPC client that %s, then say goodbye', async (_state, up) => {
    const target = await start(codec);
    const { running } = target;
    await using proxy = await heldProxy(running.grpcPort, { up, down: Number.POSITIVE_INFINITY });
    const raw = new RawGrpc(proxy.port);
    const answer = raw.call([frame(HELD)]);
    const goodbye = new Promise<number>((resolve) => raw.session.once('goaway', resolve));
    const closed = new Promise((resolve) => raw.session.once('close', resolve));
    await proxy.held(1);
    await callOnNewConnection(running, 'before');
    await replaceReceivers(running);
    await callOnNewConnection(running, 'after');
    proxy.release();
    expect((await answer).grpcStatus).toBe('0');
    expect(await goodbye).toBe(0);
    await closed;
    await endWith(target, [...AROUND, 'held']);
  });

  it.each([
    ['has said nothing', 0],
    ['has said a part of its preface', 3],
    ['has not sent its SETTINGS', PREFACE_BYTES],
    ['is ready, and in the middle of its first request', 200],
  ])('answer the request of a client of h2c that %s, then say goodbye', async (_state, up) => {
    const target = await start(codec);
    const { running } = target;
    await using proxy = await heldProxy(running.httpPort, { up, down: Number.POSITIVE_INFINITY });
    const session = connect(`http://127.0.0.1:${proxy.port}`);
    session.on('error', () => undefined);
    const stream = session.request({ ':method': 'POST', ':path': PATHS.traces, 'content-type': 'application/x-protobuf' });
    const answer = new Promise((resolve, reject) => {
      stream.on('response', (headers) => resolve(headers[':status']));
      stream.on('error', reject);
    });
    stream.resume().end(HELD);
    const goodbye = new Promise<number>((resolve) => session.once('goaway', resolve));
    const closed = new Promise((resolve) => session.once('close', resolve));
    await proxy.held(1);
    await callOnNewConnection(running, 'before');
    await replaceReceivers(running);
    await callOnNewConnection(running, 'after');
    proxy.release();
    expect(await answer).toBe(200);
    expect(await goodbye).toBe(0);
    await closed;
    await endWith(target, [...AROUND, 'held']);
  });

  it.each([
    ['has said nothing', 0],
    ['has said a letter', 1],
    ['is in the middle of its headers', 40],
    ['is in the middle of its body', 400],
  ])('answer the request of a client of HTTP/1.1 that %s, and end its connection', async (_state, up) => {
    const target = await start(codec);
    const { running } = target;
    await using proxy = await heldProxy(running.httpPort, { up, down: Number.POSITIVE_INFINITY });
    const agent = new HttpAgent({ keepAlive: true, maxSockets: 1 });
    const answer = httpPost(agent, proxy.port, HELD);
    await proxy.held(1);
    await callOnNewConnection(running, 'before');
    await replaceReceivers(running);
    await callOnNewConnection(running, 'after');
    proxy.release();
    expect(await answer).toEqual({ status: 200, connection: 'close' });
    agent.destroy();
    await endWith(target, [...AROUND, 'held']);
  });

  it('answer one more request on a connection of HTTP/1.1 that was idle, and end it then', async () => {
    const target = await start(codec);
    const { running } = target;
    const agent = new HttpAgent({ keepAlive: true, maxSockets: 1 });
    expect(await httpPost(agent, running.httpPort, request('traces', 1, 'first'))).toEqual({ status: 200, connection: 'keep-alive' });
    await callOnNewConnection(running, 'before');
    await replaceReceivers(running);
    await callOnNewConnection(running, 'after');
    expect(await httpPost(agent, running.httpPort, HELD)).toEqual({ status: 200, connection: 'close' });
    agent.destroy();
    await endWith(target, [...AROUND, 'first', 'held']);
  });

  it('hold the end of the agent up with none of their connections that wait', async () => {
    const target = await start(codec, { handshakeTimeoutMs: 0 }, { readHeaderTimeoutMs: 0, idleTimeoutMs: 0 });
    const { running } = target;
    const agent = new HttpAgent({ keepAlive: true, maxSockets: 1 });
    expect((await httpPost(agent, running.httpPort, request('traces', 1, 'first'))).status).toBe(200);
    for (const port of [running.grpcPort, running.httpPort]) {
      const silent = connectSocket({ port, host: '127.0.0.1' });
      open.push({ close: () => silent.destroy() });
      const idle = connect(`http://127.0.0.1:${port}`);
      idle.on('error', () => undefined);
      open.push({ close: () => idle.destroy() });
      await Promise.all([once(silent, 'connect'), once(idle, 'remoteSettings')]);
    }
    await callOnNewConnection(running, 'before');
    await replaceReceivers(running);
    await callOnNewConnection(running, 'after');
    // Without a deadline: it would wait for ever.
    await running.agent.drain(new AbortController().signal);
    agent.destroy();
    await endWith(target, [...AROUND, 'first']);
  });

  it('are replaced while a grpc-js client connects, and its library refuses it nothing', async () => {
    const target = await start(codec);
    const { running } = target;
    const names: string[] = [];
    for (let round = 0; ; round += 1) {
      // The client has sent its SETTINGS, and the call waits for ours: a GOAWAY right behind them would refuse it.
      const proxy = await heldProxy(running.grpcPort, { up: Number.POSITIVE_INFINITY, down: 0 });
      const client = new GrpcClient(proxy.port);
      const call = client.export('traces', HELD);
      await proxy.held(1);
      await callOnNewConnection(running, 'before');
      const began = performance.now();
      await replaceReceivers(running);
      await callOnNewConnection(running, 'after');
      proxy.release();
      await call;
      const { taken } = proxy;
      client.close();
      await proxy[Symbol.asyncDispose]();
      names.push(...AROUND, 'held');
      // The goodbye waits a second for a call: a machine that stands still for so long shows nothing.
      if (performance.now() - began > 900 && round < 20) continue;
      expect(taken, 'connections that the call needed').toBe(1);
      break;
    }
    await endWith(target, names);
  });
});

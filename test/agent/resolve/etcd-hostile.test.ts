/** What no real etcd says; the real one is in test/real/resolve. */
import { createServer as createHttp1, type Server as Http1Server } from 'node:http';
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { createServer as createTcp, type Server as TcpServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encode } from '../../../agent/resolve/etcd/etcd-messages.ts';
import { EtcdResolver } from '../../../agent/resolve/etcd/etcd-resolver.ts';
import { keptLog, Listener, untilStatus } from './kit.ts';

type Answer = (stream: ServerHttp2Stream, path: string) => void;

const HEADER = encode({ 1: 7n, 3: 10n });

function frame(message: Uint8Array, length = message.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

function respond(stream: ServerHttp2Stream, status: number | undefined, ...bodies: readonly Uint8Array[]): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: status !== undefined });
  if (status !== undefined)
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(status), 'grpc-message': 'as%20scripted' }));
  for (const body of bodies) stream.write(body);
  if (status !== undefined) stream.end();
}

/** A range with one upstream, and a watch on which nothing happens. */
const good: Answer = (stream, path) => {
  const pair = encode({ 1: Buffer.from('/s/a'), 3: 9n, 5: Buffer.from('127.0.0.1:4317') });
  if (path.endsWith('/Range')) respond(stream, 0, frame(encode({ 1: HEADER, 2: pair })));
  else respond(stream, undefined, frame(encode({ 1: HEADER, 3: true })));
};

describe('the etcd resolver', () => {
  let server: Http2Server;
  let answer: Answer;
  const sessions = new Set<ServerHttp2Session>();
  const others: (Http1Server | TcpServer)[] = [];
  let listener: Listener;
  let resolver: EtcdResolver;

  const listen = async (one: Http2Server | Http1Server | TcpServer): Promise<string> => {
    await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
    const address = one.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  };

  const start = async (endpoints: readonly string[], timeoutMs = 120_000): Promise<void> => {
    resolver = new EtcdResolver({ kind: 'etcd', endpoints, timeoutMs, prefix: '/s/' }, keptLog());
    await resolver.start(listener.onChange);
  };

  beforeEach(() => {
    answer = good;
    listener = new Listener();
    server = createServer();
    server.on('session', (session) => {
      sessions.add(session);
      session.on('close', () => sessions.delete(session)).on('error', () => {});
    });
    server.on('stream', (stream, headers) => {
      stream.on('error', () => {}).resume();
      answer(stream, String(headers[':path']));
    });
  });

  afterEach(async () => {
    await resolver.close();
    for (const session of sessions) session.destroy();
    server.close();
    for (const one of others.splice(0)) {
      if ('closeAllConnections' in one) one.closeAllConnections();
      one.close();
    }
  });

  it.each<[string, Answer, RegExp]>([
    ['another HTTP server', (stream) => stream.respond({ ':status': 404 }, { endStream: true }), /HTTP status 404, which is no gRPC/u],
    ['a gRPC error', (stream) => respond(stream, 14), /gRPC status 14: as scripted/u],
    ['a message that is none', (stream) => respond(stream, 0, frame(Buffer.from([0xff, 0xff]))), /a message of etcd ends too soon/u],
    [
      'a message of 4 GiB',
      (stream) => respond(stream, undefined, frame(Buffer.alloc(10), 0xffff_ffff)),
      /4294967295 bytes, more than 16777216/u,
    ],
    ['a compressed message', (stream) => respond(stream, undefined, Buffer.from([1, 0, 0, 0, 0])), /compressed, which was not asked for/u],
    ['half a message', (stream) => respond(stream, undefined, frame(Buffer.alloc(10), 20)), /gave no answer within 300 ms/u],
    ['no message', (stream) => respond(stream, 0), /answered without a message/u],
    ['silence', () => {}, /gave no answer within 300 ms/u],
    ['a reset', (stream) => stream.close(2), /the connection to .* failed|closed the connection/u],
    ['the end of the connection', (stream) => stream.session?.destroy(), /closed the connection|failed/u],
    ['headers without end', (stream) => stream.respond({ ':status': 200, 'x-big': 'x'.repeat(60_000) }), /within 300 ms|failed|closed/u],
    [
      'a page after the other without end',
      (stream) => respond(stream, 0, frame(encode({ 1: HEADER, 2: encode({ 1: Buffer.from(`/s/${Math.random()}`) }), 3: true }))),
      /more than 10000 keys below \/s\//u,
    ],
  ])('says why where every answer is %s, and keeps a list that it has', async (_, hostile, message) => {
    const url = await listen(server);
    answer = hostile;
    // Short only where the time itself is what ends it.
    await start([url], message.source.includes('300 ms') ? 300 : 120_000);
    expect(resolver.status).toEqual({ ok: false, message: expect.stringMatching(message) as string });
    expect(resolver.status.message).toContain('there is no list yet');
    answer = good;
    await listener.untilKeys('127.0.0.1:4317');
    await untilStatus(resolver, true);
    answer = hostile;
    for (const session of sessions) session.destroy();
    const { failures } = resolver.counts;
    while (resolver.counts.failures < failures + 2) await new Promise((resolve) => setTimeout(resolve, 10));
    answer = good;
    await untilStatus(resolver, true);
    expect(listener.lists).toHaveLength(1);
  });

  it.each<[string, Answer, RegExp]>([
    ['garbage', (stream) => respond(stream, undefined, frame(encode({ 1: HEADER, 3: true })), frame(Buffer.from([7]))), /unknown kind 7/u],
    [
      'an end with words',
      (stream) => respond(stream, undefined, frame(encode({ 4: true, 6: Buffer.from('no leader') }))),
      /ended the watch: no leader/u,
    ],
    ['an end without an error', (stream) => respond(stream, 0, frame(encode({ 1: HEADER, 3: true }))), /the watch ended/u],
  ])('keeps the list and asks again where the watch gives %s', async (_, watch, message) => {
    let watches = 0;
    answer = (stream, path) => {
      if (path.endsWith('/Range')) good(stream, path);
      else {
        watches += 1;
        (watches === 1 ? watch : good)(stream, path);
      }
    };
    const log = keptLog();
    resolver = new EtcdResolver({ kind: 'etcd', endpoints: [await listen(server)], timeoutMs: 120_000, prefix: '/s/' }, log);
    await resolver.start(listener.onChange);
    while (watches < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await untilStatus(resolver, true);
    expect(log.lines.join('\n')).toMatch(message);
    expect(listener.lists).toHaveLength(1);
  });

  it('fails with words where the server speaks HTTP/1.1 or nothing that is known', async () => {
    const http1 = createHttp1((_, response) => response.end('hello'));
    const noise = createTcp((socket) => {
      socket.on('error', () => {});
      socket.end('SSH-2.0-OpenSSH_9.9\r\n');
    });
    others.push(http1, noise);
    await start([await listen(http1), await listen(noise), await listen(server)]);
    expect(resolver.status.ok).toBe(false);
    expect(resolver.status.message).toContain('there is no list yet');
    // The third member is the good one.
    await listener.untilKeys('127.0.0.1:4317');
  });

  it('ends at once while a call is under way', async () => {
    answer = () => {};
    resolver = new EtcdResolver({ kind: 'etcd', endpoints: [await listen(server)], timeoutMs: 60_000, prefix: '/s/' }, keptLog());
    const started = resolver.start(listener.onChange);
    while (sessions.size === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await resolver.close();
    await started;
    expect(resolver.start(listener.onChange)).toBeInstanceOf(Promise);
  });
});

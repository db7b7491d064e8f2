import { createServer as createHttp2, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { probeConnect, probeGrpc, probeOf } from '../../../agent/balance/probe.ts';
import { finish, startAgent } from '../kit/agent.ts';
import { grpcExporter } from '../kit/settings.ts';
import { grpcSink } from '../kit/sink.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

async function listening(server: Server | Http2Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return (server.address() as AddressInfo).port;
}

async function serving(answer: (stream: ServerHttp2Stream) => void): Promise<number> {
  const server = createHttp2();
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    stream.resume();
    answer(stream);
  });
  return await listening(server);
}

/** An answer of the health service with this status. */
const health = (status: number) => (stream: ServerHttp2Stream) => {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(status === 0 ? Buffer.alloc(5) : Buffer.from([0, 0, 0, 0, 2, 8, status]));
};

const ask = (port: number, timeoutMs = 60_000): Promise<string | undefined> => probeGrpc({ host: '127.0.0.1', port }, timeoutMs);

describe('grpc', () => {
  it('an agent serves, a grpc-js server without the service is well too', async () => {
    const sink = await grpcSink();
    open.push(sink);
    const running = await startAgent({ exporters: [grpcExporter(sink.port)] });
    expect(await ask(running.grpcPort)).toBeUndefined();
    expect(await ask(sink.port)).toBeUndefined();
    await finish(running);
    expect(await ask(running.grpcPort)).toContain('ECONNREFUSED');
  });

  it.each([
    [0, 'status 0'],
    [2, 'NOT_SERVING'],
    [3, 'status 3'],
  ])('status %i of the service is not well', async (status, says) => {
    expect(await ask(await serving(health(status)))).toContain(says);
  });

  it('SERVING is well, and so is 404: something that answers', async () => {
    expect(await ask(await serving(health(1)))).toBeUndefined();
    expect(await ask(await serving((stream) => stream.respond({ ':status': 404 }, { endStream: true })))).toBeUndefined();
  });

  it('UNAVAILABLE, HTTP 503, a reset and a closed connection are not', async () => {
    const trailersOnly = (stream: ServerHttp2Stream) => stream.respond({ ':status': 200, 'grpc-status': '14' }, { endStream: true });
    expect(await ask(await serving(trailersOnly))).toContain('gRPC status 14');
    expect(await ask(await serving((stream) => stream.respond({ ':status': 503 }, { endStream: true })))).toContain('503');
    expect(await ask(await serving((stream) => stream.close(2)))).toContain('ended before the answer');
    expect(await ask(await serving((stream) => stream.session?.destroy()))).toBeTypeOf('string');
    expect(await ask(await listening(createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))))).toBeTypeOf('string');
  });

  it('silence ends with its time', async () => {
    expect(await ask(await listening(createServer(() => {})), 30)).toBe('no answer within 30 ms');
    expect(await ask(await serving(() => {}), 30)).toBe('no answer within 30 ms');
  });

  it('an answer of megabytes is not read', async () => {
    const port = await serving((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      stream.end(Buffer.alloc(4 << 20));
    });
    expect(await ask(port)).toBeTypeOf('string');
  });
});

describe('connect', () => {
  it('is content with a connection', async () => {
    const port = await listening(createServer(() => {}));
    expect(await probeConnect({ host: '127.0.0.1', port }, 1000)).toBeUndefined();
    expect(await probeConnect({ host: '127.0.0.1', port: 1 }, 1000)).toContain('ECONNREFUSED');
  });
});

it.each(['not a host', '[', 'nobody.invalid', ''])('a host that is none is not well: %j', async (host) => {
  expect(await probeGrpc({ host, port: 1 }, 2000)).toBeTypeOf('string');
  expect(await probeConnect({ host, port: 1 }, 2000)).toBeTypeOf('string');
});

it('none is no probe', () => {
  expect(probeOf('none')).toBeUndefined();
  expect(probeOf('connect')).toBe(probeConnect);
});

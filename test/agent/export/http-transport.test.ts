import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { snappyDecode, snappyLength } from '../../../agent/compression/snappy-decode.ts';
import type { OtlpHttpExporterSettings } from '../../../agent/config/settings.ts';
import { SIGNALS } from '../../../agent/config/settings.ts';
import { HttpTransport } from '../../../agent/export/http-transport.ts';
import { jsonToProto } from '../../../agent/otlp/json/json.ts';
import { decode, request } from '../kit/otlp.ts';
import { httpExporter, PATHS } from '../kit/settings.ts';

interface Seen {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  readonly socket: Socket;
}

const closers: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** An upstream that keeps what it got and answers by the function. */
async function upstream(
  answer: (response: ServerResponse, seen: Seen) => void = (response) => void response.end(),
): Promise<{ port: number; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const one = { url: incoming.url ?? '', headers: incoming.headers, body: Buffer.concat(parts), socket: incoming.socket };
      seen.push(one);
      answer(response, one);
    });
  });
  return { port: await listening(server), seen };
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A forward proxy: it takes whole URLs, sends them to `port` whatever their host, and wants a password if given one. */
async function forwardProxy(port: number, password?: string): Promise<{ port: number; lines: string[] }> {
  const lines: string[] = [];
  const server = createServer((incoming, response) => {
    lines.push(`${incoming.method} ${incoming.url} ${incoming.headers.host} ${incoming.headers['proxy-authorization'] ?? ''}`.trim());
    if (password !== undefined && incoming.headers['proxy-authorization'] !== `Basic ${Buffer.from(password).toString('base64')}`) {
      response.writeHead(407, { 'content-length': 0 }).end();
      return;
    }
    const target = new URL(incoming.url ?? '');
    const onward = httpRequest(
      { port, host: '127.0.0.1', method: incoming.method, path: target.pathname, headers: incoming.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      },
    );
    incoming.pipe(onward);
  });
  return { port: await listening(server), lines };
}

async function send(
  made: HttpTransport,
  signal: (typeof SIGNALS)[number] = 'traces',
  body = request(signal, 30),
): ReturnType<HttpTransport['send']> {
  return await made.send(await made.encode(signal, [body], body.length, 30));
}

const unsnap = (body: Buffer, framed: boolean): Buffer => {
  const out = Buffer.alloc(snappyLength(body, framed) ?? 0);
  return snappyDecode(body, framed, out) ? out : Buffer.from('broken');
};

describe.each(['own', 'undici'] as const)('otlp_http exporter, http1_codec: %s', (http1Codec) => {
  async function transport(
    port: number,
    more: Partial<OtlpHttpExporterSettings> = {},
    environment = {},
    signal: (typeof SIGNALS)[number] = 'traces',
  ): Promise<HttpTransport> {
    const made = await HttpTransport.create(httpExporter(port, { http1Codec, ...more }), signal, environment);
    closers.push(() => made.close());
    return made;
  }

  it.each([
    ['none', undefined, (body: Buffer) => body],
    ['gzip', 'gzip', gunzipSync],
    ['zstd', 'zstd', zstdDecompressSync],
    ['deflate', 'deflate', inflateSync],
    ['zlib', 'zlib', inflateSync],
    ['snappy', 'snappy', (body: Buffer) => unsnap(body, false)],
    ['x-snappy-framed', 'x-snappy-framed', (body: Buffer) => unsnap(body, true)],
  ] as const)('compresses with %s', async (compression, header, inflate) => {
    const { port, seen } = await upstream();
    expect(await send(await transport(port, { compression }))).toMatchObject({ kind: 'ok' });
    expect(seen[0]?.headers['content-encoding']).toBe(header);
    expect(inflate(seen[0]?.body as Buffer)).toEqual(request('traces', 30));
  });

  it.each(SIGNALS)('sends %s as JSON', async (signal) => {
    const { port, seen } = await upstream();
    const made = await transport(port, { encoding: 'json', compression: 'gzip' }, {}, signal);
    expect(await send(made, signal)).toMatchObject({ kind: 'ok' });
    expect([seen[0]?.url, seen[0]?.headers['content-type']]).toEqual([PATHS[signal], 'application/json']);
    expect(decode(signal, jsonToProto(signal, gunzipSync(seen[0]?.body as Buffer)))).toEqual(decode(signal, request(signal, 30)));
  });

  it('sends large slices as they are and small ones joined, with the length of all; a retry sends the same', async () => {
    const { port, seen } = await upstream();
    const http = await transport(port, {});
    const slices = [10, 100_000, 7, 300_000, 1, 2, 3, 65_536, 40_000, 40_000].map((bytes, i) => Buffer.alloc(bytes, i));
    const whole = Buffer.concat(slices);
    const body = await http.encode('traces', slices, whole.length, 1);
    const small = http1Codec === 'own' ? [40_000, 40_000] : [80_000];
    expect(body.slices.map((slice) => slice.length)).toEqual([10, 100_000, 7, 300_000, 6, 65_536, ...small]);
    expect(body.slices[3]).toBe(slices[3]);
    for (let attempt = 0; attempt < 2; attempt += 1) expect(await http.send(body)).toMatchObject({ kind: 'ok' });
    expect(seen.map((one) => [one.headers['content-length'], one.headers['transfer-encoding'], one.body.equals(whole)])).toEqual([
      [String(whole.length), undefined, true],
      [String(whole.length), undefined, true],
    ]);
  });

  it('reads partial success and errors in JSON', async () => {
    const answers: [number, string, string][] = [
      [200, 'application/json; charset=utf-8', '{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}'],
      [200, 'application/json', '{"partialSuccess":{"rejectedSpans":2}}'],
      [200, 'application/json', '{"partialSuccess":{"rejectedSpans":-1}}'],
      [200, 'application/json', 'no JSON'],
      [400, 'application/json', '{"code":3,"message":"bad"}'],
      [503, 'application/json', '{"message":5}'],
    ];
    const { port } = await upstream((response, { headers }) => {
      const [status, type, body] = answers[Number(headers['x-case'])] as [number, string, string];
      response.writeHead(status, { 'content-type': type }).end(body);
    });
    const outcomes = [];
    for (let i = 0; i < answers.length; i += 1)
      outcomes.push(await send(await transport(port, { encoding: 'json', headers: { 'x-case': String(i) } })));
    expect(outcomes).toMatchObject([
      { kind: 'ok', rejected: 3, message: 'too old' },
      { kind: 'ok', rejected: 2, message: '' },
      { kind: 'ok', rejected: 0 },
      { kind: 'ok', rejected: 0 },
      { kind: 'reject', message: 'HTTP status 400: bad' },
      { kind: 'retry', message: 'HTTP status 503' },
    ]);
  });

  it('fails to encode what cannot be JSON, and says where', async () => {
    const made = await transport(1, { encoding: 'json' });
    const broken = Buffer.from([0x0a, 0x06, 0x12, 0x04, 0x12, 0x02, 0x0a, 0x7f]);
    expect(() => made.encode('traces', [broken], broken.length, 1)).toThrow(/length 127 reaches past the end/);
  });

  it('writes headers as they are configured, but for those that say how body and connection are to be read', async () => {
    const { port, seen } = await upstream();
    const headers = {
      'x-tenant': 'a',
      host: 'gateway',
      'user-agent': 'me',
      connection: 'close',
      'content-length': '7',
      'transfer-encoding': 'chunked',
      expect: '100-continue',
      upgrade: 'h2c',
      te: 'trailers',
      trailer: 'x',
      'keep-alive': 'timeout=1',
    };
    const made = await transport(port, { headers });
    for (let i = 0; i < 2; i += 1) expect(await send(made)).toMatchObject({ kind: 'ok' });
    expect(seen[0]?.headers).toEqual({
      'x-tenant': 'a',
      host: 'gateway',
      'user-agent': 'me',
      connection: 'keep-alive',
      'content-length': String(request('traces', 30).length),
      'content-type': 'application/x-protobuf',
    });
    if (http1Codec === 'own') expect(seen[1]?.socket).toBe(seen[0]?.socket);
  });

  it('follows no redirect', async () => {
    const { port, seen } = await upstream((response) => void response.writeHead(307, { location: '/elsewhere' }).end());
    expect(await send(await transport(port))).toMatchObject({ kind: 'reject', message: 'HTTP status 307' });
    expect(seen.length).toBe(1);
  });

  it('keeps its connection, and with disable_keep_alives opens one for each request', async () => {
    const { port, seen } = await upstream();
    const keeping = await transport(port);
    for (let i = 0; i < 8; i += 1) await send(keeping);
    // undici may find the first connection still busy for a moment, and keeps two then.
    expect(new Set(seen.map(({ socket }) => socket)).size).toBeLessThan(http1Codec === 'own' ? 2 : 3);
    const closing = await transport(port, { keepAlives: false });
    for (let i = 0; i < 3; i += 1) await send(closing);
    expect(new Set(seen.slice(8).map(({ socket }) => socket)).size).toBe(3);
    expect(seen.at(-1)?.headers.connection).toBe('close');
  });

  it('opens no more connections than max_conns_per_host', async () => {
    const waiting: ServerResponse[] = [];
    const { port, seen } = await upstream((response) => {
      waiting.push(response);
      if (waiting.length === 2) for (const one of waiting.splice(0)) one.end();
    });
    const made = await transport(port, { maxConnections: 2 });
    await Promise.all(Array.from({ length: 8 }, () => send(made)));
    expect(new Set(seen.map(({ socket }) => socket)).size).toBe(2);
  });

  it('gives an idle connection up after idle_conn_timeout', async () => {
    const { port, seen } = await upstream();
    await send(await transport(port, { idleConnectionTimeoutMs: 1100 })); // undici's timers have a resolution of a second
    await new Promise((resolve) => seen[0]?.socket.on('close', resolve));
  });

  it('goes through proxy_url with the whole URL and its password, also to this machine', async () => {
    const { port, seen } = await upstream();
    const proxy = await forwardProxy(port, 'user:secret');
    const made = await transport(port, { proxyUrl: `http://user:secret@127.0.0.1:${proxy.port}` });
    expect(await send(made)).toMatchObject({ kind: 'ok' });
    expect(proxy.lines).toEqual([
      `POST http://127.0.0.1:${port}/v1/traces 127.0.0.1:${port} Basic ${Buffer.from('user:secret').toString('base64')}`,
    ]);
    expect(seen[0]?.body).toEqual(request('traces', 30));
  });

  it('fails for good where the proxy wants another password', async () => {
    const { port } = await upstream();
    const proxy = await forwardProxy(port, 'user:secret');
    expect(await send(await transport(port, { proxyUrl: `http://127.0.0.1:${proxy.port}` }))).toMatchObject({
      kind: 'reject',
      message: 'HTTP status 407',
    });
  });

  it('goes through HTTP_PROXY to a name that only the proxy knows, past it where NO_PROXY says so', async () => {
    const { port, seen } = await upstream();
    const proxy = await forwardProxy(port);
    const environment = { HTTP_PROXY: `127.0.0.1:${proxy.port}` };
    const urls = { ...httpExporter(1).urls, traces: 'http://gateway.test:4318/v1/traces' };
    const made = await transport(1, { urls }, environment);
    expect(await Promise.all([send(made), send(made), send(made)])).toMatchObject([{ kind: 'ok' }, { kind: 'ok' }, { kind: 'ok' }]);
    expect(proxy.lines[0]).toBe('POST http://gateway.test:4318/v1/traces gateway.test:4318');
    expect(seen.length).toBe(3);
    expect(await send(await transport(1, { urls, timeoutMs: 2000 }, { ...environment, NO_PROXY: '.test' }))).toMatchObject({
      kind: 'retry',
    });
    expect(proxy.lines.length).toBe(3);
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpClient, HttpClientOptions, HttpEnd, HttpTarget } from '../../../agent/http1/client.ts';
import { until } from '../kit/agent.ts';
import { ownPort } from '../kit/ports.ts';
import { CLIENTS, OK, OPTIONS, post, type RawRequest, type RawServer, rawServer, target } from './client-server.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});
const keep = <T extends { close(): unknown }>(one: T): T => {
  open.push(one);
  return one;
};
const server = async (answer: (request: RawRequest) => void, begun?: (socket: Socket) => void): Promise<RawServer> =>
  keep(await rawServer(answer, begun));
const yes = ({ socket }: RawRequest): void => void socket.write(OK);

describe.each(CLIENTS)('connections of the %s client', (name, create) => {
  const client = (port: number, more: Partial<HttpClientOptions> = {}, where: Partial<HttpTarget> = {}): HttpClient =>
    keep(create(target(port, where), { ...OPTIONS, ...more }));
  const own = name === 'own';

  it('writes what it is given, in one request line, one set of headers and the length', async () => {
    const { port, requests } = await server(yes);
    const headers = { host: 'gateway:4318', 'content-type': 'application/x-protobuf', 'x-tenant': 'caf\xe9' };
    const made = client(port, {}, { path: '/v1/traces?a=b', headers });
    const bodies = [[], ['a'], ['a', 'bc', ''], ['x'.repeat(40_000)], ['x'.repeat(40_000), 'y', 'z'.repeat(300_000)]].map((texts) =>
      texts.map((text) => Buffer.from(text)),
    );
    for (const slices of bodies) expect(await post(made, slices, slices.length > 1 ? 'gzip' : 'identity')).toMatchObject({ status: 200 });
    for (const [i, slices] of bodies.entries()) {
      const { head, body, connection } = requests[i] as RawRequest;
      const [line, ...lines] = head.split('\r\n');
      expect(line).toBe('POST /v1/traces?a=b HTTP/1.1');
      const encoding = slices.length > 1 ? ['content-encoding: gzip'] : [];
      expect(lines.filter((one) => !one.startsWith('connection')).sort()).toEqual(
        [
          ...encoding,
          `content-length: ${body.length}`,
          'content-type: application/x-protobuf',
          'host: gateway:4318',
          'x-tenant: caf\xe9',
        ].sort(),
      );
      expect(body.equals(Buffer.concat(slices)), `body ${i}`).toBe(true);
      if (own) expect(connection).toBe(0);
    }
  });

  it('has one request at a time on each connection, and no more connections than allowed', async () => {
    const waiting: RawRequest[] = [];
    const { port, sockets, requests } = await server((request) => {
      waiting.push(request);
      if (waiting.length === 3) for (const one of waiting.splice(0)) yes(one);
    });
    const made = client(port, { maxConnections: 3 });
    await Promise.all(Array.from({ length: 12 }, () => post(made)));
    expect([sockets.length, requests.length]).toEqual([3, 12]);
  });

  it('answers those that wait in their order', async () => {
    const { port, requests } = await server(yes);
    const made = client(port, { maxConnections: 1 });
    const texts = Array.from({ length: 20 }, (_, i) => `request ${i}`);
    await Promise.all(texts.map((text) => post(made, [Buffer.from(text)])));
    expect(requests.map(({ body }) => body.toString())).toEqual(texts);
  });

  it('fails at a port where nobody listens, and tries again with the next request', async () => {
    const port = await ownPort();
    const made = client(port, { maxConnections: 2 });
    const ends = await Promise.all(Array.from({ length: 5 }, () => post(made)));
    for (const end of ends) expect(end).toMatchObject({ kind: 'failed', message: expect.stringContaining('ECONNREFUSED') });
    const late = createServer((socket) => void socket.on('data', () => socket.write(OK)).on('error', () => {}));
    late.listen(port, '127.0.0.1');
    await once(late, 'listening');
    expect(await post(made)).toMatchObject({ status: 200 });
    await made.close();
    late.close();
  });

  it('fails for a name that does not exist', async () => {
    const made = client(80, {}, { host: 'no-such-host.invalid' });
    expect(await post(made)).toMatchObject({ kind: 'failed', message: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) });
  });

  it('tries all addresses of a name', async () => {
    // localhost is ::1 and 127.0.0.1 on most machines, and only one of them is listened to.
    const { port } = await server(yes);
    expect(await post(client(port, {}, { host: 'localhost' }))).toMatchObject({ status: 200 });
  });

  it('speaks to an address of IPv6', async (context) => {
    const v6 = createServer((socket) => void socket.on('data', () => socket.write(OK)).on('error', () => {}));
    const failed = await new Promise((resolve) => {
      v6.once('error', resolve);
      v6.listen(0, '::1', () => resolve(undefined));
    });
    if (failed !== undefined) context.skip();
    const made = client((v6.address() as { port: number }).port, {}, { host: '::1' });
    expect(await post(made)).toMatchObject({ status: 200 });
    await made.close();
    v6.close();
  });

  it('fails where the connection is reset in the middle of the request, and leaves it', async () => {
    const { port, sockets } = await server(yes, (socket) => {
      if (sockets.length === 1) socket.once('data', () => socket.resetAndDestroy());
    });
    const made = client(port);
    expect(await post(made, [Buffer.alloc(5_000_000)])).toMatchObject({ kind: 'failed' });
    expect(await post(made)).toMatchObject({ status: 200 });
    expect(sockets.length).toBe(2);
  });

  it('fails where the server closes its side in the middle of the request', async () => {
    const { port, sockets } = await server(yes, (socket) => {
      if (sockets.length === 1) socket.end();
    });
    const made = client(port);
    expect(await post(made, [Buffer.alloc(5_000_000)])).toMatchObject({ kind: 'failed' });
    expect(await post(made)).toMatchObject({ status: 200 });
  });

  // undici goes on writing, from memory that its caller thinks is free.
  it.runIf(own)('takes an answer that comes before the request is written, and leaves the connection', async () => {
    const early = Buffer.from('HTTP/1.1 413 Too Large\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno');
    const { port, sockets } = await server(yes, (socket) => {
      if (sockets.length > 1) return;
      socket.removeAllListeners('data');
      socket.once('data', () => {
        socket.pause(); // the rest of the request finds no room
        socket.write(early);
      });
    });
    const made = client(port);
    const body = [Buffer.alloc(30_000_000, 1)];
    expect(await post(made, body)).toMatchObject({ kind: 'answer', status: 413, type: 'text/plain', body: Buffer.from('no') });
    // What was not written yet is not written any more: the bytes may change now.
    body[0]?.fill(2);
    sockets[0]?.resume();
    let twos = 0;
    sockets[0]?.on('data', (bytes) => {
      if (bytes.includes(2)) twos += 1;
    });
    await once(sockets[0] as Socket, 'close');
    expect(twos).toBe(0);
    expect(await post(made)).toMatchObject({ status: 200 });
    expect(sockets.length).toBe(2);
  });

  it('notices at once that an idle connection is closed, and sends the next request on another', async () => {
    const { port, sockets } = await server(yes);
    const made = client(port);
    await post(made);
    sockets[0]?.end();
    await once(sockets[0] as Socket, 'close');
    expect(await post(made)).toMatchObject({ status: 200 });
    expect(sockets.length).toBe(2);
  });

  it('leaves an idle connection on which something comes that nobody asked for', async () => {
    const { port, sockets } = await server(yes);
    const made = client(port);
    await post(made);
    sockets[0]?.write('HTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n');
    await once(sockets[0] as Socket, 'close');
    expect(await post(made)).toMatchObject({ status: 200 });
  });

  it('leaves an idle connection before its server does, where that says when', async () => {
    const { port, sockets } = await server(
      ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 0\r\n\r\n'),
    );
    const made = client(port);
    await post(made);
    await once(sockets[0] as Socket, 'close');
    expect(await post(made)).toMatchObject({ status: 200 });
    expect(sockets.length).toBe(2);
  });

  it('has no answer in time: the connection is left, and makes room for another', async () => {
    const { port } = await server((request) => {
      if (request.connection > 0) yes(request);
    });
    const made = client(port, { maxConnections: 1, timeoutMs: 300 });
    expect(await post(made)).toEqual({ kind: 'late' });
    let end: HttpEnd = await post(made);
    while (end.kind !== 'answer') end = await post(made); // on a machine that has no time for it
    expect(end).toMatchObject({ status: 200 });
  });

  it('goes on with those that wait where a connection ends', async () => {
    const { port, sockets } = await server((request) => {
      if (request.connection > 0) yes(request);
      else request.socket.destroy();
    });
    const made = client(port, { maxConnections: 1 });
    const [first, ...others] = await Promise.all(Array.from({ length: 4 }, () => post(made)));
    expect(first).toMatchObject({ kind: 'failed' });
    for (const end of others) expect(end).toMatchObject({ status: 200 });
    expect(sockets.length).toBe(2);
  });

  // undici takes the half for the whole.
  it.runIf(own)('fails where a reset cuts an answer that would go on until the end', async () => {
    const { port } = await server(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\nhalf', () => setImmediate(() => socket.resetAndDestroy()));
    });
    expect(await post(client(port))).toMatchObject({ kind: 'failed' });
  });

  it('has an answer that drips for longer than allowed: no answer in time', async () => {
    const timers: NodeJS.Timeout[] = [];
    const { port } = await server(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n');
      timers.push(setInterval(() => socket.write('x'), 20));
    });
    expect(await post(client(port, { timeoutMs: 300 }))).toEqual({ kind: 'late' });
    for (const timer of timers) clearInterval(timer);
  });

  it('ends what is under way, what waits and what comes later when it is closed, and leaves no socket', async () => {
    const { port, sockets } = await server(() => {});
    const made = client(port, { maxConnections: 2 });
    const ends = Array.from({ length: 4 }, () => post(made));
    await until(() => sockets.length === 2);
    const closed = sockets.map((socket) => once(socket, 'close'));
    await made.close();
    await Promise.all(closed);
    for (const end of [...(await Promise.all(ends)), await post(made)])
      expect(end).toEqual({ kind: 'failed', message: 'the exporter is closed' });
    await made.close();
  });

  it('is closed while it connects', async () => {
    const made = client(await ownPort());
    const ends = Promise.all([post(made), post(made)]);
    await made.close();
    for (const end of await ends) expect(end).toMatchObject({ kind: 'failed' });
  });

  it('keeps no process alive by idle connections, and one alive by a request', async () => {
    const answers: RawRequest[] = [];
    const { port } = await server((request) => void answers.push(request));
    const program = `
      const { ${create.name} } = await import('./agent/http1/client-${own ? 'pool' : 'undici'}.ts');
      const target = { host: 'localhost', port: ${port}, path: '/', headers: { host: 'x' } };
      const options = { maxConnections: 0, keepAlives: true, idleTimeoutMs: 600000, timeoutMs: 600000, maxAnswerBytes: 1000 };
      ${create.name}(target, options).post({ encoding: 'identity', slices: [Buffer.from('x')], bytes: 1 }, (end) => console.log(end.status));
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (bytes) => {
      out += bytes;
    });
    const ended = once(child, 'close'); // its output, too
    await until(() => answers.length === 1);
    yes(answers[0] as RawRequest);
    expect(await ended).toEqual([0, null]);
    expect(out.trim()).toBe('200');
  });
});

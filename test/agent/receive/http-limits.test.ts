import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { REQUEST_BYTES } from '../../../agent/admit/budget.ts';
import { storeBytes } from '../../../agent/admit/slab.ts';
import type { HttpServerSettings } from '../../../agent/config/settings.ts';
import { assertBooksBalance, finish, post, type Running, startAgent, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { grpcExporter, LIMITS, PATHS } from '../kit/settings.ts';

/** Limits of time, short, against raw sockets that keep to none of them. */
let running: Running | undefined;
afterEach(async () => {
  if (running !== undefined) await finish(running, 50);
  running = undefined;
});

async function agentWith(http: Partial<HttpServerSettings>): Promise<Running> {
  running = await startAgent({ exporters: [grpcExporter(1)], http });
  return running;
}

/** A client of bytes: what it got so far, and the moment of its end. */
function raw(port: number, first = ''): { socket: Socket; got: () => string; closed: Promise<string> } {
  const socket = connect(port, '127.0.0.1');
  let out = '';
  socket.on('data', (data) => {
    out += data.toString('latin1');
  });
  socket.on('error', () => {});
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(out)));
  if (first !== '') socket.write(first);
  return { socket, got: () => out, closed };
}

const head = (length: number, more = ''): string =>
  `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: ${length}\r\n${more}\r\n`;

const faults = async ({ agent }: Running): Promise<string[]> =>
  [...(await agent.metrics()).matchAll(/otlp_agent_connection_errors\{kind="([a-z_0-9]+)"\} (\d+)/g)].map(
    (match) => `${match[1]} ${match[2]}`,
  );

describe('a client of OTLP/HTTP that stalls', () => {
  it('without a byte is closed after read_header_timeout', async () => {
    const agent = await agentWith({ readHeaderTimeoutMs: 60 });
    expect(await raw(agent.httpPort).closed).toBe('');
    expect(await faults(agent)).toEqual(['handshake_timeout 1']);
  });

  it('but only looks whether the port is open, as TCP probes do, is no error and holds nothing', async () => {
    const agent = await agentWith({});
    for (let i = 0; i < 20; i += 1) {
      const { socket, closed } = raw(agent.httpPort);
      socket.end();
      expect(await closed).toBe('');
    }
    expect(await faults(agent)).toEqual([]);
  });

  it('is let go at shutdown, however silent', async () => {
    const agent = await agentWith({});
    const { socket, closed } = raw(agent.httpPort);
    await new Promise((resolve) => socket.on('connect', resolve));
    await post(agent.httpPort, PATHS.traces, ''); // it was accepted before this answer
    const started = performance.now();
    await agent.agent.drain(20_000);
    expect(await closed).toBe('');
    expect(performance.now() - started).toBeLessThan(15_000); // not the deadline
  });

  it('in the middle of its headers gets 408', async () => {
    const agent = await agentWith({ readHeaderTimeoutMs: 60 });
    expect(await raw(agent.httpPort, 'POST /v1/traces HTTP/1.1\r\nHost: x\r\nX-Sl').closed).toMatch(/^HTTP\/1\.1 408 /);
    expect(await faults(agent)).toEqual(['header_timeout 1']);
  });

  it('in the middle of the word that tells its HTTP version is closed, too', async () => {
    const agent = await agentWith({ readHeaderTimeoutMs: 60 });
    expect(await raw(agent.httpPort, 'PR').closed).toBe('');
    expect(await faults(agent)).toEqual(['handshake_timeout 1']);
  });

  it('with headers above 32 KiB gets 431', async () => {
    const agent = await agentWith({});
    const { closed } = raw(agent.httpPort, `POST /v1/traces HTTP/1.1\r\nHost: x\r\nX-Big: ${'a'.repeat(40 * 1024)}\r\n\r\n`);
    expect(await closed).toMatch(/^HTTP\/1\.1 431 /);
    expect(await faults(agent)).toEqual(['header_size 1']);
  });

  it('in a body that brings no byte gets 408 with a Status, and its memory is given back', async () => {
    const agent = await agentWith({ limits: { ...LIMITS, bodyIdleMs: 80 } });
    const { closed } = raw(agent.httpPort, `${head(100_000)}abc`);
    await until(() => agent.agent.heldBytes === REQUEST_BYTES + storeBytes(100_000));
    expect(await closed).toMatch(/^HTTP\/1\.1 408 .*OTLP_BODY_TIMEOUT/s);
    expect(agent.agent.heldBytes).toBe(0);
    expect(await agent.agent.metrics()).toMatch(/otlp_agent_receiver_requests\{[^}]*code="OTLP_BODY_TIMEOUT"\} 1/);
    assertBooksBalance(agent.agent);
  });

  it('that drips its body a byte at a time gets 408, although it always moves', async () => {
    const agent = await agentWith({ limits: { ...LIMITS, bodyIdleMs: 150, minBodyRate: 1000 } });
    const { socket, closed } = raw(agent.httpPort, head(100_000));
    const drip = setInterval(() => socket.write('x'), 10);
    expect(await closed).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(drip);
  });

  it('that takes longer than read_timeout for a whole request gets 408', async () => {
    const agent = await agentWith({ readTimeoutMs: 120 });
    const { socket, closed } = raw(agent.httpPort, head(100_000));
    const drip = setInterval(() => socket.write('x'.repeat(500)), 10);
    expect(await closed).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(drip);
  });

  it('between requests is closed after idle_timeout', async () => {
    const agent = await agentWith({ idleTimeoutMs: 50 });
    const { closed } = raw(agent.httpPort, head(0));
    expect(await closed).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(await faults(agent)).toEqual([]);
  });

  it('that pipelines and reads no answer is closed after write_timeout', async () => {
    const agent = await agentWith({ limits: { ...LIMITS, writeTimeoutMs: 100 } });
    const socket = connect(agent.httpPort, '127.0.0.1');
    socket.pause();
    socket.on('error', () => {});
    const one = 'GET /v1/nothing-of-the-kind HTTP/1.1\r\nHost: x\r\n\r\n';
    const closed = new Promise((resolve) => socket.on('close', resolve));
    const more = (): void => {
      while (!socket.destroyed && socket.write(one.repeat(500)));
    };
    socket.on('drain', more);
    more();
    await until(() => socket.destroyed || socket.writableLength > 0);
    const watch = setInterval(() => socket.resume().pause(), 20); // an end is seen by who reads; what it reads is a piece of megabytes
    await closed;
    clearInterval(watch);
    expect(await faults(agent)).toContain('response_unread 1');
  }, 30_000);

  it('is one of too many: connections above max_connections are closed as they come, the others served', async () => {
    const agent = await agentWith({ limits: { ...LIMITS, maxConnections: 3 } });
    const kept = [raw(agent.httpPort, head(0)), raw(agent.httpPort, head(0)), raw(agent.httpPort, head(0))];
    await until(() => kept.every(({ got }) => got().startsWith('HTTP/1.1 200')));
    expect(await raw(agent.httpPort, head(0)).closed).toBe('');
    expect(await faults(agent)).toEqual(['too_many_connections 1']);
    kept[0]?.socket.end();
    await kept[0]?.closed;
    const next = raw(agent.httpPort, head(0));
    await until(() => next.got().startsWith('HTTP/1.1 200'));
    for (const { socket } of [...kept, next]) socket.destroy();
  });

  it('and the many that are opened and left keep nobody out', async () => {
    const agent = await agentWith({ limits: { ...LIMITS, maxConnections: 20 } });
    const left = Array.from({ length: 100 }, () => raw(agent.httpPort));
    await Promise.all(left.slice(0, 80).map(({ closed }) => closed)); // the oldest make room
    for (let i = 0; i < 10; i += 1) {
      const client = raw(agent.httpPort, head(0));
      await until(() => client.got().startsWith('HTTP/1.1 200'));
      client.socket.destroy();
    }
    for (const { socket } of left) socket.destroy();
  });

  it('without keep_alives_enabled has one request on each connection', async () => {
    const agent = await agentWith({ keepAlives: false });
    expect(await raw(agent.httpPort, head(0) + head(0)).closed).toMatch(/^HTTP\/1\.1 200 OK.*Connection: close(?!.*HTTP\/1\.1 200)/is);
  });
});

describe('an HTTP/2 client of the same port', () => {
  const open: ClientHttp2Session[] = [];
  afterEach(() => {
    for (const session of open.splice(0)) session.destroy();
  });
  const session = (port: number): ClientHttp2Session => {
    const made = connectHttp2(`http://127.0.0.1:${port}`);
    made.on('error', () => {});
    open.push(made);
    return made;
  };
  const call = (made: ClientHttp2Session, headers: Record<string, string>, body?: Buffer): Promise<[number | undefined, Buffer, number]> =>
    new Promise((resolve) => {
      const stream = made.request({ ':method': 'POST', ':path': PATHS.traces, 'content-type': 'application/x-protobuf', ...headers });
      let status: number | undefined;
      const parts: Buffer[] = [];
      stream.on('response', (got) => {
        status = Number(got[':status']);
      });
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('error', () => {});
      stream.on('close', () => resolve([status, Buffer.concat(parts), stream.rstCode]));
      if (body === undefined) stream.resume();
      else stream.end(body);
    });

  it('is served many requests on one connection, and HTTP/1.1 beside it', async () => {
    const agent = await agentWith({});
    const made = session(agent.httpPort);
    const answers = await Promise.all(Array.from({ length: 50 }, () => call(made, {}, request('traces', 5))));
    expect(answers.map(([status]) => status)).toEqual(Array.from({ length: 50 }, () => 200));
    expect((await post(agent.httpPort, PATHS.traces, request('traces', 1))).status).toBe(200);
    expect(agent.agent.books().total.queued).toBe(251);
  });

  it('gets the same refusals', async () => {
    const agent = await agentWith({ maxBodyBytes: 1000 });
    const made = session(agent.httpPort);
    expect((await call(made, { ':path': '/nothing' }, Buffer.alloc(1)))[0]).toBe(404);
    expect((await call(made, { 'content-type': 'text/plain' }, Buffer.alloc(1)))[0]).toBe(415);
    expect((await call(made, {}, Buffer.alloc(5000)))[0]).toBe(413);
    expect((await call(made, {}, Buffer.from('no protobuf')))[0]).toBe(400);
    expect(agent.agent.heldBytes).toBe(0);
  });

  it('that stalls in its body gets 408; the connection goes on', async () => {
    const agent = await agentWith({ limits: { ...LIMITS, bodyIdleMs: 80 } });
    const made = session(agent.httpPort);
    const stream = made.request({
      ':method': 'POST',
      ':path': PATHS.traces,
      'content-type': 'application/x-protobuf',
      'content-length': '50000',
    });
    stream.on('error', () => {});
    stream.write('abc');
    const status = await new Promise((resolve) => stream.on('response', (headers) => resolve(headers[':status'])));
    expect(status).toBe(408);
    expect((await call(made, {}, request('traces', 1)))[0]).toBe(200);
    expect(agent.agent.heldBytes).toBeLessThan(50_000);
  });

  it('that dies in the middle of a request has sent no request', async () => {
    const agent = await agentWith({});
    const made = session(agent.httpPort);
    const body = request('traces', 10);
    const stream = made.request({ ':method': 'POST', ':path': PATHS.traces, 'content-type': 'application/x-protobuf' });
    stream.on('error', () => {});
    await new Promise<void>((resolve) => stream.write(body, () => resolve()));
    await until(() => agent.agent.heldBytes > 0);
    made.destroy(); // not stream.close(): node:http2 ends the body in good order before it resets
    await until(() => agent.agent.heldBytes === 0);
    expect(agent.agent.books().total.received).toBe(0);
  });

  it('with headers above 32 KiB is reset, and the others go on', async () => {
    const agent = await agentWith({});
    const made = session(agent.httpPort);
    await call(made, {}, Buffer.alloc(0)); // the limit counts when the client has heard of it; until then nghttp2's own 64 KiB
    expect(await call(made, { 'x-big': 'a'.repeat(40 * 1024) }, Buffer.alloc(0))).toMatchObject([undefined, Buffer.alloc(0), 11]);
    const next = session(agent.httpPort);
    expect((await call(next, {}, request('traces', 1)))[0]).toBe(200);
  });

  it('that sends its preface and no SETTINGS is closed', async () => {
    const agent = await agentWith({ readHeaderTimeoutMs: 60 });
    await raw(agent.httpPort, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n').closed;
    expect(await faults(agent)).toContain('handshake_timeout 1');
  });

  it('that is idle gets GOAWAY', async () => {
    const agent = await agentWith({ idleTimeoutMs: 60 });
    const made = session(agent.httpPort);
    expect(await new Promise((resolve) => made.on('goaway', resolve))).toBe(0);
  });
});

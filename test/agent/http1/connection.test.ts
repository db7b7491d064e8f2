import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer as createTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { connect as connectTls, createServer as createTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpServerSettings } from '../../../agent/config/settings.ts';
import { Answers } from '../../../agent/http1/answer.ts';
import { Http1Connection, type Http1Shared } from '../../../agent/http1/connection.ts';
import { PROTOBUF_ANSWER } from '../../../agent/http1/exchange.ts';
import { duplexWire } from '../../../agent/runtime/wire.ts';
import { finish, type Running, startAgent, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { grpcExporter, LIMITS, QUEUE } from '../kit/settings.ts';
import { grpcSink, type Sink } from '../kit/sink.ts';
import { answersIn, converse } from './conversation.ts';

let running: Running | undefined;
let sink: Sink | undefined;
afterEach(async () => {
  if (running !== undefined) await finish(running, 50);
  await sink?.close();
  running = undefined;
  sink = undefined;
});

async function agentWith(http: Partial<HttpServerSettings>, exporter = grpcExporter(1)): Promise<Running> {
  running = await startAgent({ exporters: [exporter], http: { http1Codec: 'own', ...http } });
  return running;
}

/** An agent that answers when its next hop has: it does when `let` is called. */
async function agentThatWaits(http: Partial<HttpServerSettings> = {}): Promise<{ agent: Running; letGo: () => void }> {
  const gate = Promise.withResolvers<void>();
  sink = await grpcSink(() => gate.promise.then(() => ({})));
  return { agent: await agentWith(http, grpcExporter(sink.port, { queue: { ...QUEUE, waitForResult: true } })), letGo: gate.resolve };
}

const post = (items: number, lines = ''): Buffer => {
  const body = request('traces', items);
  const head = `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: ${body.length}\r\n${lines}\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
};

const ODD = Buffer.from('GET /v1/traces HTTP/1.1\r\nHost: x\r\n\r\n');
const statuses = (text: string): number[] => answersIn(text).map(({ status }) => status);

function client(port: number): { socket: Socket; got: () => string; closed: Promise<string> } {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let out = '';
  socket.on('data', (data) => {
    out += data.toString('latin1');
  });
  socket.on('end', () => socket.end());
  socket.on('error', () => {});
  return { socket, got: () => out, closed: new Promise((resolve) => socket.on('close', () => resolve(out))) };
}

describe('a connection of OTLP/HTTP', () => {
  it('answers in order what was sent in one go, and node:http what is not plain', async () => {
    const agent = await agentWith({});
    const last = post(1, 'Connection: close\r\n');
    expect(statuses(await converse(agent.httpPort, [Buffer.concat([post(2), post(3), ODD, post(4), ODD, last])]))).toEqual([
      200, 200, 405, 200, 405, 200,
    ]);
    expect(agent.agent.books().total.received).toBe(10);
  });

  it('has its answer also where the client has closed its writing side, and what it sent before that', async () => {
    const { agent, letGo } = await agentThatWaits();
    const { socket, closed } = client(agent.httpPort);
    socket.end(Buffer.concat([post(2), post(3)]));
    await until(() => agent.agent.books().total.received === 2);
    letGo();
    const text = await closed;
    expect(statuses(text)).toEqual([200, 200]);
    expect(agent.agent.books().total.received).toBe(5);
  });

  it('reads the next request when the one before is answered', async () => {
    const { agent, letGo } = await agentThatWaits();
    const { socket, got, closed } = client(agent.httpPort);
    socket.write(Buffer.concat([post(1), ...Array.from({ length: 200 }, () => post(20))]));
    await until(() => agent.agent.books().total.received === 1);
    socket.write(Buffer.concat([ODD, post(1, 'Connection: close\r\n')]));
    expect(got()).toBe('');
    letGo();
    expect(statuses(await closed)).toEqual([...Array.from({ length: 201 }, () => 200), 405, 200]);
    expect(agent.agent.books().total.received).toBe(4002);
  });

  it('of a client that dies while it waits for its answer is over', async () => {
    const { agent, letGo } = await agentThatWaits();
    const { socket } = client(agent.httpPort);
    socket.write(Buffer.concat([post(1), post(2)]));
    await until(() => agent.agent.books().total.received === 1);
    socket.resetAndDestroy();
    while (!/code="OTLP_CLIENT_GONE"\} 1/.test(await agent.agent.metrics())) await turn();
    letGo();
    await until(() => agent.agent.heldBytes === 0);
    expect(agent.agent.books().total.received).toBe(1);
  });

  it('ends with its answer when the agent drains', async () => {
    const { agent, letGo } = await agentThatWaits();
    const { socket, closed } = client(agent.httpPort);
    const idle = client(agent.httpPort);
    idle.socket.write(ODD.subarray(0, 0));
    socket.write(post(1));
    await until(() => agent.agent.books().total.received === 1);
    const drained = agent.agent.drain(5000);
    letGo();
    const [answer] = answersIn(await closed);
    expect([answer?.status, answer?.headers.connection]).toEqual([200, 'close']);
    expect(await idle.closed).toBe('');
    await drained;
  });

  it('that breaks off in a body gets 400, as the client may still listen', async () => {
    const agent = await agentWith({});
    const { socket, closed } = client(agent.httpPort);
    socket.end(post(5).subarray(0, -3));
    expect(await closed).toBe('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    expect(agent.agent.heldBytes).toBe(0);
    expect(await agent.agent.metrics()).toMatch(/code="OTLP_CLIENT_GONE"\} 1/);
  });

  it('that drips its head byte by byte is answered', async () => {
    const agent = await agentWith({});
    const pieces = [...post(1, 'Connection: close\r\n')].map((byte) => Buffer.from([byte]));
    expect(statuses(await converse(agent.httpPort, pieces))).toEqual([200]);
  });

  it('carries headers to later stages and response_headers to the client', async () => {
    const agent = await agentWith({ includeMetadata: true, responseHeaders: { 'X-Agent': 'a b' } });
    const [answer] = answersIn(await converse(agent.httpPort, [post(1, 'Connection: close\r\nX-Tenant: t\r\n')]));
    expect(answer?.headers).toEqual({
      'x-agent': 'a b',
      'content-type': 'application/x-protobuf',
      'content-length': '0',
      connection: 'close',
    });
  });

  it.each<Readonly<Record<string, string>>>([{ Date: 'never' }, { Connection: 'close' }, { 'Transfer-Encoding': 'identity' }])(
    "is node:http's where response_headers has %j",
    async (responseHeaders) => {
      const agent = await agentWith({ responseHeaders });
      const [name, value] = Object.entries(responseHeaders)[0] as [string, string];
      expect(await converse(agent.httpPort, [post(1, 'Connection: close\r\n')])).toContain(`${name}: ${value}`);
    },
  );

  it('whose answers nobody reads is asked nothing more, and closed after write_timeout', async () => {
    const agent = await agentWith({ limits: { ...LIMITS, writeTimeoutMs: 100 } });
    const { socket } = client(agent.httpPort);
    socket.pause();
    const closed = new Promise((resolve) => socket.on('close', resolve));
    const many = Buffer.concat(Array.from({ length: 500 }, () => Buffer.concat([post(0, 'Content-Encoding: identity\r\n')])));
    const more = (): void => {
      while (!socket.destroyed && socket.write(many));
    };
    socket.on('drain', more);
    more();
    await until(() => socket.destroyed || socket.writableLength > 0);
    const watch = setInterval(() => socket.resume().pause(), 20);
    await closed;
    clearInterval(watch);
    expect(await agent.agent.metrics()).toContain('otlp_agent_connection_errors{kind="response_unread"} 1');
  });
});

describe('the HTTP/1.1 codec', () => {
  const shared = (): Http1Shared => ({
    targets: [Buffer.from('/v1/traces')],
    collect: false,
    answers: new Answers({}, 60_000),
    headerTimeoutMs: 1000,
    idleTimeoutMs: 1000,
    writeTimeoutMs: 1000,
    closing: false,
    heldBytes: 0,
    maxHeldBytes: 20_000,
  });

  it('takes any duplex stream: over TLS with a certificate, plain requests and what it hands on', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'otlp-http1-'));
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-subj',
        '/CN=localhost',
        '-keyout',
        key,
        '-out',
        cert,
        '-days',
        '1',
      ],
      { stdio: 'ignore' },
    );
    const bodies: number[] = [];
    let handed = '';
    const server = createTls({ key: readFileSync(key), cert: readFileSync(cert) }, (stream) => {
      const connection = new Http1Connection(duplexWire(stream), shared(), {
        request: (exchange) => {
          let bytes = 0;
          exchange.read({
            data: (_bytes, from, to) => {
              bytes += to - from;
            },
            end: () => {
              bodies.push(bytes);
              exchange.respond(200, PROTOBUF_ANSWER, Buffer.alloc(0));
            },
            closed: () => {},
            sweep: () => false,
          });
        },
        spoke: () => {},
        fault: () => {},
        closed: () => {},
        handOn: (_connection, rest) => {
          rest.on('data', (data: Buffer) => {
            handed += data.toString('latin1');
          });
          rest.on('end', () => rest.end('done'));
          rest.resume();
        },
      });
      connection.start();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const socket = connectTls({
      port: (server.address() as AddressInfo).port,
      ca: readFileSync(cert),
      servername: 'localhost',
      host: '127.0.0.1',
      checkServerIdentity: () => undefined,
    });
    let out = '';
    socket.on('data', (data) => {
      out += data.toString('latin1');
    });
    const one = post(3);
    socket.end(Buffer.concat([one, post(300), ODD, one]));
    await new Promise((resolve) => socket.on('close', resolve));
    expect(bodies).toEqual([request('traces', 3).length, request('traces', 300).length]);
    expect(statuses(out.slice(0, -'done'.length))).toEqual([200, 200]);
    expect(out.endsWith('done')).toBe(true);
    expect(handed).toBe(Buffer.concat([ODD, one]).toString('latin1'));
    await new Promise((resolve) => server.close(resolve));
  });

  it('closes who pipelines more than all connections together may hold, and holds nothing of it', async () => {
    const faults: string[] = [];
    const common = shared();
    const server = createTcp((stream) => {
      const connection = new Http1Connection(duplexWire(stream), common, {
        request: (exchange) => exchange.read({ data: () => {}, end: () => {}, closed: () => {}, sweep: () => false }),
        spoke: () => {},
        fault: (name) => faults.push(name),
        closed: () => {},
        handOn: () => {},
      });
      connection.start();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { socket, closed } = client((server.address() as AddressInfo).port);
    socket.write(Buffer.concat([post(1), post(1000)]));
    expect(await closed).toBe('');
    expect(faults).toEqual(['pipelined']);
    await until(() => common.heldBytes === 0);
    await new Promise((resolve) => server.close(resolve));
  });
});

import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import type { ExporterSettings } from '../../../agent/config/settings.ts';
import { SIGNAL_FACTS } from '../../../agent/otlp/signals.ts';
import type { Outcome } from '../../../agent/runtime/outcome.ts';
import { finish, type Running, startAgent, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { grpcExporter, httpExporter, LIMITS } from '../kit/settings.ts';

/**
 * What the event loop finds after it has stood still: a stopped process, a frozen container. The other ends are threads, which go on; the
 * standstill is this thread's own, so that it begins and ends exactly where a test says.
 */
const threads: Worker[] = [];
afterEach(async () => {
  for (const thread of threads.splice(0)) await thread.terminate();
});

/** A thread that runs `code` with `shared`: [0] how far it has come. */
async function thread(code: string, data: object): Promise<{ readonly worker: Worker; readonly at: () => number; readonly port: number }> {
  const shared = new Int32Array(new SharedArrayBuffer(4));
  const begin = `const { workerData, parentPort } = require('node:worker_threads');
    const step = () => Atomics.add(workerData.shared, 0, 1);`;
  const worker = new Worker(`${begin}${code}`, { eval: true, workerData: { ...data, shared } });
  threads.push(worker);
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return { worker, at: () => Atomics.load(shared, 0), port };
}

/** Nothing runs here until `done`, and for so long. Behind the sockets of a turn: what comes next are its timers. */
async function standStill(ms: number, done: () => boolean): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  const from = performance.now();
  const nap = new Int32Array(new SharedArrayBuffer(4));
  while (performance.now() - from < ms || !done()) {
    if (performance.now() - from > 30_000) throw new Error('the other end has not done its part');
    Atomics.wait(nap, 0, 0, 1);
  }
}

/** Next hops that count a request when its answer has left. */
const HOPS = {
  http: `require('node:http').createServer((req, res) => {
      req.resume().on('end', () => res.end('', step));
    }).listen(0, '127.0.0.1', function () { parentPort.postMessage(this.address().port); });`,
  grpc: `const server = require('node:http2').createServer();
    server.on('stream', (stream) => {
      stream.resume().on('end', () => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '0' }, { endStream: true });
        stream.on('close', step);
      });
    });
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`,
} as const;

const TIMEOUT_MS = 500;
/** A sweep comes four times in it. */
const IDLE_MS = 3_000;

const pipelines = (exporter: ExporterSettings) => [
  { id: 'traces', signal: 'traces' as const, receivers: ['otlp', 'library'], processors: [], exporters: [exporter.id] },
];

function deliver({ agent }: Running): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const refusal = agent.offer('traces', request('traces', 1), resolve, 'delivered');
    if (refusal !== undefined) reject(new Error(refusal.kind.code));
  });
}

describe('after a standstill', () => {
  it.each(['http', 'grpc'] as const)('an answer over %s that has come in time counts, and nothing is sent twice', async (protocol) => {
    const hop = await thread(HOPS[protocol], {});
    const exporter = (protocol === 'http' ? httpExporter : grpcExporter)(hop.port, { timeoutMs: TIMEOUT_MS });
    const running = await startAgent({ exporters: [exporter], pipelines: pipelines(exporter) });
    await deliver(running); // makes the connection
    await until(() => hop.at() > 0);
    // On a busy machine it may have been late, and sent again: there is a connection that is idle when no more comes.
    let sent = 0;
    while (sent !== hop.at()) {
      sent = hop.at();
      await deliver(running);
      await until(() => hop.at() > sent);
      sent += 1;
    }
    const second = deliver(running);
    // It is on the wire when this thread stands still, and nothing has been read.
    await standStill(2 * TIMEOUT_MS, () => hop.at() > sent);
    expect(await second).toMatchObject({ kind: 'ok' });
    expect(hop.at()).toBe(sent + 1);
    await finish(running);
  });

  it.each(['http', 'grpc'] as const)('a body over %s that has gone on in time is read', async (protocol) => {
    const hop = await thread(HOPS.http, {});
    const exporter = httpExporter(hop.port);
    const limits = { ...LIMITS, bodyIdleMs: IDLE_MS, minBodyRate: 0 };
    const running = await startAgent({ exporters: [exporter], grpc: { limits }, http: { limits } });
    const code = {
      http: `const { once } = require('node:events');
        const socket = require('node:net').connect(workerData.port, '127.0.0.1');
        const { head, body } = workerData;
        socket.write(Buffer.concat([head, body.subarray(0, 10)]));
        parentPort.once('message', () => socket.write(body.subarray(10), step));
        socket.once('data', (data) => parentPort.postMessage(Number(String(data).split(' ')[1])));
        parentPort.postMessage(0);`,
      grpc: `const session = require('node:http2').connect('http://127.0.0.1:' + workerData.port);
        const stream = session.request({ ':method': 'POST', ':path': workerData.path, 'content-type': 'application/grpc', te: 'trailers' });
        const { body } = workerData;
        stream.write(body.subarray(0, 10));
        parentPort.once('message', () => { stream.end(body.subarray(10), () => setTimeout(step, 300)); });
        stream.on('response', (headers) => { if (headers['grpc-status'] !== undefined) parentPort.postMessage(headers['grpc-status']); });
        stream.on('trailers', (headers) => parentPort.postMessage(headers['grpc-status'] === '0' ? 200 : headers['grpc-status']));
        stream.resume();
        parentPort.postMessage(0);`,
    }[protocol];
    const message = request('traces', 3);
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.length, 1);
    const data = {
      port: protocol === 'http' ? running.httpPort : running.grpcPort,
      path: SIGNAL_FACTS.traces.grpcPath,
      head: Buffer.from(
        `POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-protobuf\r\ncontent-length: ${message.length}\r\n\r\n`,
      ),
      body: protocol === 'http' ? message : Buffer.concat([prefix, message]),
    };
    for (let begun = false; !begun; ) {
      const client = await thread(code, data);
      const answer = new Promise((resolve) => client.worker.once('message', resolve));
      await until(() => running.agent.heldBytes > 0);
      // A sweep has seen it, and nothing has come since.
      await new Promise((resolve) => setTimeout(resolve, IDLE_MS / 3));
      begun = running.agent.heldBytes > 0; // else the machine stood still by itself, and it was refused
      if (!begun) continue;
      client.worker.postMessage('go on');
      await standStill(1.5 * IDLE_MS, () => client.at() > 0);
      expect(await answer).toBe(200);
    }
    expect((await finish(running)).total.accepted).toBe(3);
  });
});

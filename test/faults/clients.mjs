/**
 * The well-behaved clients beside a storm: real grpc-js channels and keep-alive HTTP, a request of five spans each 25 ms on each, sent again
 * after a refusal as an SDK does. Reports every acknowledged span and the latency of every attempt.
 */
import http from 'node:http';
import * as grpc from '@grpc/grpc-js';
import { SEEDS, traces } from './requests.mjs';

const EVERY_MS = 25;
const SPANS = 5;
const TURN_MS = 20;
const raw = (bytes) => bytes;
const acknowledged = [];
const latencies = [];
/** How late this process itself gets its turn: on a machine that is full nobody's latency says anything of the agent. */
const lateness = [];
let turn = performance.now();
setInterval(() => {
  const now = performance.now();
  lateness.push(Math.max(0, now - turn - TURN_MS));
  turn = now;
}, TURN_MS).unref();
const refusals = {};
let number = 0;
let running = true;
const lanes = [];

process.on('message', async (message) => {
  if (message.start) {
    const { ports } = message.start;
    for (let i = 0; i < 3; i += 1) lanes.push(lane(grpcSender(ports.grpc)), lane(httpSender(ports.http)));
    process.send({});
  }
  if (message === 'mark') {
    const part = latencies.splice(0).sort((a, b) => a - b);
    const late = lateness.splice(0).sort((a, b) => a - b);
    const of = (list, q) => Math.round(list[Math.min(list.length - 1, Math.floor(q * list.length))] ?? 0);
    const at = (q) => of(part, q);
    process.send({ attempts: part.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1), lateP99Ms: of(late, 0.99) });
  }
  if (message === 'stop') {
    running = false;
    await Promise.all(lanes);
    process.send({ acknowledged, refusals });
  }
});
process.on('disconnect', () => process.exit(0));

async function lane(send) {
  while (running) {
    const began = performance.now();
    const names = Array.from({ length: SPANS }, () => number++);
    const body = traces(
      'well-behaved',
      names.map((n) => `well-behaved-${String(n).padStart(8, '0')}`),
    );
    for (;;) {
      const at = performance.now();
      const refusal = await send(body);
      latencies.push(performance.now() - at);
      if (refusal === undefined) break;
      refusals[refusal] = (refusals[refusal] ?? 0) + 1;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    acknowledged.push(...names);
    const rest = EVERY_MS - (performance.now() - began);
    if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
  }
}

function grpcSender(port) {
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  return (body) =>
    new Promise((resolve) => {
      const options = { deadline: Date.now() + 10_000 };
      client.makeUnaryRequest(SEEDS[0].grpc, raw, raw, body, new grpc.Metadata(), options, (error) =>
        resolve(error === null ? undefined : `grpc ${error.code} ${error.details}`.slice(0, 80)),
      );
    });
}

function httpSender(port) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  return (body) =>
    new Promise((resolve) => {
      const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length };
      const call = http.request(
        { agent, port, host: '127.0.0.1', path: '/v1/traces', method: 'POST', headers, timeout: 10_000 },
        (response) => {
          response.resume().on('end', () => resolve(response.statusCode === 200 ? undefined : `http ${response.statusCode}`));
        },
      );
      call.on('timeout', () => call.destroy(new Error('no answer for 10 s')));
      call.on('error', (error) => resolve(`http ${error.message}`));
      call.end(body);
    });
}

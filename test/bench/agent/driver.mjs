/**
 * The application side: OTLP/gRPC over node:http2, or OTLP/HTTP over keep-alive sockets, as many requests in flight as asked for (a
 * closed loop: the rate is what the other side takes). A process of its own. Counts answers that are not success.
 */
import http from 'node:http';
import { connect } from 'node:http2';
import { serviceRequest, traceRequest } from './load.mjs';

process.on('message', (job) => run(job).then((result) => process.send(result)));
process.on('disconnect', () => process.exit(0));
process.send({ ready: true });

async function run({ protocol, port, spans, spanBytes, requests, connections, inFlight, content }) {
  const body = content === 'service' ? serviceRequest(spans, spanBytes) : traceRequest(spans, spanBytes);
  const send = protocol === 'grpc' ? grpcSender(port, body, connections) : httpSender(port, body, connections * inFlight);
  let left = requests;
  let failed = 0;
  const latencies = new Float64Array(requests);
  const startedAt = performance.now();
  const lane = async (index) => {
    while (left > 0) {
      left -= 1;
      const mine = left;
      const at = performance.now();
      if (!(await send.one(index))) failed += 1;
      latencies[mine] = performance.now() - at;
    }
  };
  await Promise.all(Array.from({ length: connections * inFlight }, (_, index) => lane(index)));
  const seconds = (performance.now() - startedAt) / 1000;
  send.close();
  latencies.sort();
  const at = (q) => latencies[Math.min(requests - 1, Math.floor(q * requests))];
  return { seconds, failed, requests, bytes: requests * body.length, requestBytes: body.length, p50Ms: at(0.5), p95Ms: at(0.95) };
}

function grpcSender(port, body, connections) {
  const message = Buffer.alloc(5 + body.length);
  message.writeUInt32BE(body.length, 1);
  body.copy(message, 5);
  const sessions = Array.from({ length: connections }, () => connect(`http://127.0.0.1:${port}`));
  const headers = {
    ':method': 'POST',
    ':path': '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    'content-type': 'application/grpc',
    te: 'trailers',
  };
  return {
    one: (index) =>
      new Promise((resolve) => {
        const stream = sessions[index % connections].request(headers);
        let ok = false;
        stream.on('response', (got) => {
          if (got['grpc-status'] !== undefined) ok = got['grpc-status'] === '0';
        });
        stream.on('trailers', (got) => {
          ok = got['grpc-status'] === '0';
        });
        stream.on('error', () => {});
        stream.on('close', () => resolve(ok));
        stream.resume();
        stream.end(message);
      }),
    close: () => {
      for (const session of sessions) session.close();
    },
  };
}

function httpSender(port, body, sockets) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: sockets });
  const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length };
  return {
    one: () =>
      new Promise((resolve) => {
        const request = http.request({ port, host: '127.0.0.1', method: 'POST', path: '/v1/traces', agent, headers }, (response) => {
          response.resume();
          response.on('end', () => resolve(response.statusCode === 200));
        });
        request.on('error', () => resolve(false));
        request.end(body);
      }),
    close: () => agent.destroy(),
  };
}

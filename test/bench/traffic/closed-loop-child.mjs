/** Our own closed loop, where there is no h2load: as many requests under way as asked for. A process of its own. */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { GrpcClient } from './grpc-client.mjs';

const NO_MARK = -1_000;

process.send({});
process.on('message', (job) => {
  (job.protocol === 'grpc' ? overGrpc(job) : overHttp(job))
    .catch((error) => ({ problem: error.message }))
    .then((result) => process.send({ ...result, cpu: process.cpuUsage() }));
});
process.on('disconnect', () => process.exit(0));

async function overGrpc({ files, requests, path, encoding, port, connections, inFlight }) {
  const templates = files.map((file) => ({ message: readFileSync(file), mark: NO_MARK }));
  const total = requests * files.length;
  let begun = 0;
  let succeeded = 0;
  let failed = 0;
  const clients = [];
  await new Promise((resolve, reject) => {
    const more = (client) => {
      if (begun < total) client.request(templates[begun++ % templates.length], 0);
      if (succeeded + failed === total) resolve();
    };
    for (let index = 0; index < connections; index += 1) {
      const client = new GrpcClient(
        port,
        path,
        (_, ok) => {
          if (ok) succeeded += 1;
          else failed += 1;
          more(client);
        },
        encoding,
      );
      clients.push(client);
      client.ready.then(() => {
        for (let lane = 0; lane < inFlight && begun < total; lane += 1) more(client);
        client.flush();
      }, reject);
    }
  });
  for (const client of clients) client.close();
  return { succeeded, failed };
}

async function overHttp({ files, requests, path, encoding, port, connections, inFlight }) {
  const bodies = files.map((file) => readFileSync(file));
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections * inFlight });
  const headers = { 'content-type': 'application/x-protobuf', ...(encoding === 'identity' ? {} : { 'content-encoding': encoding }) };
  const total = requests * files.length;
  let begun = 0;
  let succeeded = 0;
  const one = (body) =>
    new Promise((resolve) => {
      const options = { port, host: '127.0.0.1', method: 'POST', path, agent, headers: { ...headers, 'content-length': body.length } };
      const request = http.request(options, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode === 200));
      });
      request.on('error', () => resolve(false));
      request.end(body);
    });
  const lane = async () => {
    while (begun < total) if (await one(bodies[begun++ % bodies.length])) succeeded += 1;
  };
  await Promise.all(Array.from({ length: connections * inFlight }, lane));
  agent.destroy();
  return { succeeded, failed: total - succeeded };
}

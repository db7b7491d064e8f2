import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { finish, type Running, startAgent } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { grpcExporter } from '../kit/settings.ts';

let running: Running | undefined;
afterEach(async () => {
  if (running !== undefined) await finish(running, 50);
  running = undefined;
});

/** Writes byte after byte, each in a packet of its own, and gives what came back when the connection has ended. */
async function slowly(port: number, bytes: Buffer): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let out = '';
  socket.on('data', (data) => {
    out += data.toString('latin1');
  });
  const ended = new Promise((resolve) => socket.on('close', resolve));
  await new Promise((resolve) => socket.on('connect', resolve));
  for (const byte of bytes) {
    socket.write(Buffer.from([byte]));
    await turn();
  }
  socket.end();
  await ended;
  return out;
}

describe('the version of HTTP on 4318', () => {
  it('is found out also where the first bytes come one by one: POST begins like PRI', async () => {
    running = await startAgent({ exporters: [grpcExporter(1)] });
    const body = request('traces', 1);
    const head = `POST /v1/traces HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/x-protobuf\r\nContent-Length: ${body.length}\r\n\r\n`;
    expect(await slowly(running.httpPort, Buffer.concat([Buffer.from(head), body]))).toMatch(/^HTTP\/1\.1 200 /u);
  });

  it('is no question any more where a client says a part of it and goes', async () => {
    running = await startAgent({ exporters: [grpcExporter(1)] });
    expect(await slowly(running.httpPort, Buffer.from('PR'))).toBe('');
    // And the agent still answers.
    expect((await fetch(`http://127.0.0.1:${running.httpPort}/v1/nothing`, { method: 'POST' })).status).toBe(404);
  });
});

import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNodeSession } from '../../../agent/http2/node-session.ts';
import type { ServerStream, SessionEvents, SessionOptions } from '../../../agent/http2/server.ts';
import { createServerSession } from '../../../agent/http2/server-session.ts';
import { duplexWire } from '../../../agent/runtime/wire.ts';
import { data, headers, RawClient, TYPE } from './kit/raw-client.ts';
import { CODECS } from './kit/target.ts';

/** Clients that send more than they may: windows that we gave, and bodies of requests that are answered already. Straight on a codec. */

const OPTIONS: SessionOptions = {
  maxConcurrentStreams: 100,
  streamWindowBytes: 100_000,
  sessionWindowBytes: 150_000,
  maxHeaderBytes: 16 * 1024,
};
const KIB_16 = Buffer.alloc(16_384);

describe.each(CODECS)('uploads, codec %s', (codec) => {
  const server = createServer();
  let port = 0;
  let faults: string[] = [];
  let streams: ServerStream[] = [];
  let client: RawClient;
  /** What is done with a request when its headers are there. */
  let onStream: (stream: ServerStream) => void = () => {};

  beforeEach(async () => {
    faults = [];
    streams = [];
    onStream = () => {};
    server.removeAllListeners('connection');
    server.on('connection', (socket) => {
      const events: SessionEvents = {
        stream: (stream) => {
          streams.push(stream);
          onStream(stream);
          return { data: () => {}, end: () => {}, closed: () => {} };
        },
        ready: () => {},
        ping: () => {},
        fault: (name) => faults.push(name),
        closed: () => {},
      };
      if (codec === 'own') createServerSession(duplexWire(socket), OPTIONS, events);
      else createNodeSession(socket, OPTIONS, events);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    port = typeof address === 'object' && address !== null ? address.port : 0;
    client = RawClient.speaking(port);
  });
  afterEach(async () => {
    client.close();
    await client.closed;
    await new Promise((resolve) => server.close(resolve));
  });

  it('within the windows go on and on: what is read is given back', async () => {
    client.send(headers(1));
    let given = [100_000, 150_000];
    let sent = 0;
    for (let i = 0; i < 200; i += 1) {
      const room = (stream: number): number =>
        client.frames
          .filter((one) => one.type === TYPE.WINDOW_UPDATE && one.stream === stream)
          .reduce((sum, one) => sum + one.payload.readUInt32BE(0), 0);
      expect(
        await client.until(() => {
          // Until its SETTINGS are known, the window of a stream is 65535.
          const settled = client.frames.some((one) => one.type === TYPE.SETTINGS && one.payload.length > 0);
          given = [(settled ? 100_000 : 65_535) + room(1), 65_535 + room(0)];
          return Math.min(...given) - sent >= KIB_16.length;
        }),
      ).toBe(true);
      client.send(data(1, KIB_16, 0));
      sent += KIB_16.length;
    }
    expect(await client.verdict()).toBe('taken');
    expect(faults).toEqual([]);
  });

  it('that go on after the answer are thrown away at first, and the answer is whole', async () => {
    onStream = (stream) => stream.respond({ ':status': '200' }, Buffer.from('done'), { 'grpc-status': '0' });
    client.send(headers(1), data(1, KIB_16, 0), data(1, KIB_16, 0), data(1, Buffer.alloc(10)));
    expect(await client.verdict()).toBe('answered');
    expect(client.received(1)).toBe(4);
    expect(faults).toEqual([]);
  });

  it('that go on after a reset by us are no error, as the client may not know', async () => {
    onStream = (stream) => stream.reset(8);
    client.send(headers(1), data(1, KIB_16, 0), data(1, KIB_16));
    expect(await client.verdict()).toBe('stream CANCEL');
    expect(client.isClosed).toBe(false);
    onStream = (stream) => stream.respond({ ':status': '200' });
    client.send(headers(3), data(3, Buffer.alloc(1)));
    expect(await client.until(() => client.answered(3))).toBe(true);
  });

  it('give back the window of the connection, also where nobody reads them: refused requests do not stop it', async () => {
    onStream = (stream) => stream.reset(8);
    const given = (): number =>
      client.frames
        .filter((one) => one.type === TYPE.WINDOW_UPDATE && one.stream === 0)
        .reduce((sum, one) => sum + one.payload.readUInt32BE(0), 0);
    let sent = 0;
    for (let i = 0; i < 60; i += 1) {
      expect(await client.until(() => 65_535 + given() - sent >= 2 * KIB_16.length)).toBe(true);
      client.send(headers(2 * i + 1), data(2 * i + 1, KIB_16, 0), data(2 * i + 1, KIB_16));
      sent += 2 * KIB_16.length;
    }
    await client.settled();
    expect(client.isClosed).toBe(false);
    expect(streams.length).toBe(60);
  });
});

describe('windows that are smaller than a frame, codec own', () => {
  it('fail where the client does not keep to them', async () => {
    const faults: string[] = [];
    const server = createServer((socket) => {
      createServerSession(
        duplexWire(socket),
        { ...OPTIONS, streamWindowBytes: 1000 },
        {
          stream: () => ({ data: () => {}, end: () => {}, closed: () => {} }),
          ready: () => {},
          ping: () => {},
          fault: (name) => faults.push(name),
          closed: () => {},
        },
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = RawClient.speaking((server.address() as { port: number }).port);
    await client.settled(); // our SETTINGS are acknowledged: from now on they hold
    client.send(headers(1), data(1, Buffer.alloc(1001), 0));
    expect(['stream FLOW_CONTROL_ERROR', 'connection FLOW_CONTROL_ERROR']).toContain(await client.verdict());
    expect(faults).toEqual(['flow_control']);
    client.close();
    await client.closed;
    await new Promise((resolve) => server.close(resolve));
  });
});

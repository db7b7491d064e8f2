import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { request } from '../kit/otlp.ts';
import { frame as message, RawGrpc } from '../kit/raw-http2.ts';
import { AgentProcess } from './kit/agent-process.ts';
import { block, call, FIRST_DYNAMIC, kept, plain } from './kit/hpack.ts';
import {
  continuation,
  data,
  frame,
  headers,
  ping,
  priority,
  RawClient,
  reset,
  SETTING,
  settings,
  TYPE,
  wholeCall,
  windowUpdate,
} from './kit/raw-client.ts';
import { CODECS } from './kit/target.ts';

/**
 * What is no error by itself, without end: the connection ends with ENHANCE_YOUR_CALM, or the flood costs nothing that is kept. Each runs
 * against an agent in its own process, whose memory the kernel tells.
 */

/** Above what the agent has after the first calls: code that is compiled, buffers that are kept to be used again, garbage between two collections. */
const GROWTH_MIB = 96;

interface Flood {
  readonly what: string;
  readonly settings?: readonly (readonly [number, number])[];
  /** Before the flood. */
  readonly first?: (client: RawClient) => void;
  readonly times: number;
  readonly each: (i: number) => Buffer;
  /** Nothing of what the agent says is read. */
  readonly deaf?: boolean;
  /** The kinds in otlp_agent_connection_errors with one of which our codec ends the connection; none where it bears it. */
  readonly counted?: string;
}

const id = (i: number): number => 2 * i + 1;
const EMPTY = Buffer.alloc(0);
const BOMB = block(call(), kept('a', 'x'.repeat(4000)), Buffer.alloc(12_000, 0x80 | FIRST_DYNAMIC));

const FLOODS: readonly Flood[] = [
  {
    what: 'CONTINUATION of a byte each',
    first: (c) => c.send(headers(1, call(), 0)),
    times: 200_000,
    each: () => continuation(1, Buffer.from([0]), 0),
    counted: 'continuation_flood',
  },
  {
    what: 'CONTINUATION of nothing',
    first: (c) => c.send(headers(1, call(), 0)),
    times: 200_000,
    each: () => continuation(1, EMPTY, 0),
    counted: 'continuation_flood',
  },
  {
    what: 'CONTINUATION of 16 KiB',
    first: (c) => c.send(headers(1, call(), 0)),
    times: 3000,
    each: (i) => continuation(1, plain(`x-${i}`, 'y'.repeat(16_000)), 0),
    counted: 'header_size',
  },
  { what: 'requests with an HPACK bomb of 48 MB', times: 2000, each: (i) => wholeCall(id(i), BOMB), counted: 'rapid_reset' },
  {
    what: 'requests that are reset at once (CVE-2023-44487)',
    times: 100_000,
    each: (i) => Buffer.concat([headers(id(i)), reset(id(i))]),
    counted: 'rapid_reset',
  },
  {
    what: 'requests that are reset in their message',
    times: 50_000,
    each: (i) => Buffer.concat([headers(id(i)), data(id(i), message(Buffer.alloc(10), 0, 60_000), 0), reset(id(i))]),
    counted: 'rapid_reset',
  },
  {
    what: 'requests that make us reset: WINDOW_UPDATE of 0 (CVE-2025-8671)',
    times: 100_000,
    each: (i) => Buffer.concat([headers(id(i)), windowUpdate(id(i), 0)]),
    counted: 'rapid_reset|window_flood',
  },
  {
    what: 'requests that make us reset: windows above 2^31-1',
    times: 100_000,
    each: (i) => Buffer.concat([headers(id(i)), windowUpdate(id(i), 0x7fff_ffff)]),
    counted: 'rapid_reset|window_flood',
  },
  {
    what: 'requests that make us reset: PRIORITY of 4 bytes',
    times: 100_000,
    each: (i) => Buffer.concat([headers(id(i)), frame(TYPE.PRIORITY, 0, id(i), Buffer.alloc(4))]),
    counted: 'rapid_reset',
  },
  {
    what: 'requests that make us reset: malformed headers',
    times: 100_000,
    each: (i) => headers(id(i), call({ connection: 'x' })),
    counted: 'rapid_reset',
  },
  {
    what: 'requests that make us reset: content-length',
    times: 100_000,
    each: (i) => wholeCall(id(i), call({ 'content-length': '7' })),
    counted: 'rapid_reset',
  },
  {
    what: 'requests that make us reset: too many at a time',
    first: (c) => c.send(...Array.from({ length: 1000 }, (_, k) => headers(id(k)))),
    times: 50_000,
    each: (i) => headers(id(i + 1000)),
    counted: 'rapid_reset',
  },
  {
    what: 'DATA for a request that we have reset',
    first: (c) => c.send(headers(1, call({ connection: 'x' }))),
    times: 200_000,
    each: () => data(1, EMPTY, 0),
    counted: 'empty_frame_flood',
  },
  { what: 'requests of no header at all', times: 100_000, each: (i) => headers(id(i), EMPTY), counted: 'rapid_reset' },
  {
    what: 'trailers of a request that we have reset',
    first: (c) => c.send(headers(1)),
    times: 50_000,
    each: () => headers(1, plain('a', 'b')),
    counted: 'stray_frame_flood',
  },
  { what: 'GOAWAY', times: 100_000, each: () => frame(TYPE.GOAWAY, 0, 0, Buffer.alloc(8)) },
  {
    what: 'GOAWAY of 16 KiB each, with a call open',
    first: (c) => c.send(headers(1)),
    times: 5000,
    each: () => frame(TYPE.GOAWAY, 0, 0, Buffer.alloc(16_384)),
    counted: 'stray_frame_flood',
  },
  { what: 'SETTINGS', times: 200_000, each: (i) => settings([SETTING.MAX_STREAMS, i]), counted: 'settings_flood' },
  { what: 'SETTINGS whose answers are not read', deaf: true, times: 400_000, each: () => settings(), counted: 'settings_flood' },
  {
    what: 'windows up and down by SETTINGS with 1000 streams open',
    first: (c) => c.send(...Array.from({ length: 1000 }, (_, k) => headers(id(k)))),
    times: 50_000,
    each: (i) => settings([SETTING.INITIAL_WINDOW, i % 2 === 0 ? 0 : 2 ** 30]),
    counted: 'settings_flood',
  },
  { what: 'PING', times: 200_000, each: (i) => ping(i), counted: 'ping_flood' },
  { what: 'PING whose answers are not read', deaf: true, times: 400_000, each: (i) => ping(i), counted: 'ping_flood' },
  { what: 'answers to pings that nobody sent', times: 200_000, each: () => frame(TYPE.PING, 1, 0, Buffer.alloc(8)), counted: 'ping_flood' },
  { what: 'empty DATA', first: (c) => c.send(headers(1)), times: 200_000, each: () => data(1, EMPTY, 0), counted: 'empty_frame_flood' },
  {
    what: 'DATA of padding alone',
    first: (c) => c.send(headers(1)),
    times: 100_000,
    each: () => frame(TYPE.DATA, 8, 1, Buffer.alloc(1)),
    counted: 'empty_frame_flood',
  },
  { what: 'PRIORITY of one stream', times: 200_000, each: () => priority(1, 0), counted: 'priority_flood' },
  { what: 'PRIORITY of ever more streams', times: 200_000, each: (i) => priority(id(i + 1), 0), counted: 'priority_flood' },
  { what: 'WINDOW_UPDATE of the connection', times: 200_000, each: () => windowUpdate(0, 1), counted: 'window_flood' },
  {
    what: 'WINDOW_UPDATE of a stream',
    first: (c) => c.send(headers(1)),
    times: 200_000,
    each: () => windowUpdate(1, 1),
    counted: 'window_flood',
  },
  { what: 'frames of an unknown type', times: 200_000, each: () => frame(0xbb, 0, 0, Buffer.alloc(8)), counted: 'stray_frame_flood' },
  {
    what: 'RST_STREAM of a stream that is over',
    first: (c) => c.send(wholeCall(1)),
    times: 200_000,
    each: () => reset(1),
    counted: 'stray_frame_flood',
  },
  {
    what: 'calls whose answers have no window',
    settings: [[SETTING.INITIAL_WINDOW, 0]],
    times: 50_000,
    each: (i) => wholeCall(id(i)),
    counted: 'rapid_reset',
  },
  {
    what: 'calls whose answers are not read, nor have a window',
    deaf: true,
    times: 400_000,
    each: (i) => wholeCall(id(i)),
    counted: 'rapid_reset',
  },
  {
    what: 'calls whose answers are not read',
    deaf: true,
    first: (c) => c.send(windowUpdate(0, 0x7fff_ffff - 65_535)),
    times: 400_000,
    each: (i) => wholeCall(id(i)),
  },
  {
    what: 'messages whose prefix says 60 MB and that send a byte each',
    first: () => {},
    times: 900,
    each: (i) => Buffer.concat([headers(id(i)), data(id(i), Buffer.from([0, 3, 0x93, 0x87, 0, 1]), 0)]),
  },
];

describe.skipIf(!existsSync('/proc/self/status')).each(CODECS)('a flood, codec %s', (codec) => {
  let agent: AgentProcess;
  let neighbour: RawGrpc;
  let served = 0;
  const serve = async (): Promise<void> => {
    expect((await neighbour.call([message(request('traces', 1))])).grpcStatus, 'of the neighbour').toBe('0');
    served += 1;
  };
  beforeAll(async () => {
    agent = await AgentProcess.start(codec);
    neighbour = new RawGrpc(agent.port);
    // Buffers and code that any traffic makes.
    for (let i = 0; i < 200; i += 1) await serve();
  });
  afterAll(async () => {
    neighbour.close();
    await agent[Symbol.asyncDispose]();
  });

  it.each(FLOODS)('of $what', async (flood) => {
    const rss = agent.rssMib();
    const counted = (): Promise<number> => agent.metric('otlp_agent_connection_errors', new RegExp(`kind="(${flood.counted ?? ''})"`));
    const before = await counted();
    const client = new RawClient(agent.port);
    if (flood.deaf === true) client.socket.pause();
    client.acknowledges = false;
    client.send(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings(...(flood.settings ?? [])));
    flood.first?.(client);
    // What is written with nobody reading it stops moving: then the agent has stopped to read, which is as good as an end.
    const sent = client.flood(flood.times, flood.each);
    const stuck = flood.deaf === true ? new Promise((resolve) => setTimeout(resolve, 3000)) : new Promise(() => {});
    await Promise.race([sent, stuck, serveWhile(sent)]);
    const growth = agent.rssMib() - rss;
    for (let i = 0; i < 5; i += 1) await serve();
    if (codec === 'own' && flood.counted !== undefined) {
      client.socket.resume();
      await client.closed;
      const goaway = client.frames.findLast((one) => one.type === TYPE.GOAWAY);
      if (flood.deaf !== true && !client.isBroken) expect(goaway?.payload.readUInt32BE(4), 'ENHANCE_YOUR_CALM').toBe(11);
      expect((await counted()) - before).toBe(1);
    }
    client.close();
    expect(agent.alive).toBe(true);
    expect(growth).toBeLessThan(GROWTH_MIB);
  });

  it('is over: what the neighbour sent is accepted, all of it and nothing else', async () => {
    expect(await agent.metric('otelcol_receiver_accepted_spans')).toBe(served);
    expect(agent.peakMib()).toBeLessThan(400);
  });

  /** Goes on with calls of the neighbour until the flood has been written. Never ends by itself. */
  async function serveWhile(sent: Promise<boolean>): Promise<never> {
    let going = true;
    void sent.then(() => {
      going = false;
    });
    while (going) await serve();
    return new Promise(() => {});
  }
});

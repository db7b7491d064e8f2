import { afterEach, describe, expect, it } from 'vitest';
import type { ServerKeepaliveSettings } from '../../../agent/config/settings.ts';
import { GrpcReceiver } from '../../../agent/receive/grpc.ts';
import { Counters } from '../../../agent/telemetry/counters.ts';
import { frame, RawGrpc } from '../kit/raw-http2.ts';
import { ANY_PORT, CODEC, KEEPALIVE, LIMITS } from '../kit/settings.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function receiver(
  keepalive: Partial<ServerKeepaliveSettings>,
  maxConcurrentStreams = 100,
): Promise<{ raw: RawGrpc; counters: Counters; port: number }> {
  const counters = new Counters();
  const settings = {
    address: ANY_PORT,
    maxMessageBytes: 1000,
    maxConcurrentStreams,
    includeMetadata: false,
    keepalive: { ...KEEPALIVE, ...keepalive },
    handshakeTimeoutMs: 20_000,
    codec: CODEC,
    limits: LIMITS,
  };
  const server = new GrpcReceiver(settings, 'grpc', {}, counters);
  await server.bind();
  server.start();
  open.push(server);
  const port = server.address.kind === 'tcp' ? server.address.port : 0;
  const raw = new RawGrpc(port);
  open.push(raw);
  return { raw, counters, port };
}

const goaway = (raw: RawGrpc): Promise<number> => new Promise((resolve) => raw.session.once('goaway', resolve));

function pingEvery(raw: RawGrpc, ms: number): void {
  if (raw.session.destroyed || raw.session.closed) return;
  raw.session.ping(() => setTimeout(() => pingEvery(raw, ms), ms));
}

describe('connections of the gRPC receiver', () => {
  it('get GOAWAY at their maximum age, without an error', async () => {
    const { raw } = await receiver({ maxConnectionAgeMs: 30 });
    expect(await goaway(raw)).toBe(0);
  });

  it('get GOAWAY when they are idle for too long', async () => {
    const { raw } = await receiver({ maxConnectionIdleMs: 30 });
    expect(await goaway(raw)).toBe(0);
  });

  it('that ping without end get ENHANCE_YOUR_CALM and are counted', async () => {
    const { raw, counters } = await receiver({});
    const ended = goaway(raw);
    const ping = (): void => {
      if (!raw.session.destroyed && !raw.session.closed) raw.session.ping(() => ping());
    };
    raw.session.once('connect', ping);
    expect(await ended).toBe(11);
    expect(counters.connectionErrors.get('ping_flood')).toBe(1);
  });

  it('may ping at their pace with a call in flight, and every two hours without one', async () => {
    const quick = { minPingIntervalMs: 1 };
    const { raw, counters } = await receiver(quick);
    const ended = goaway(raw);
    raw.session.once('connect', () => pingEvery(raw, 5));
    expect(await ended).toBe(11);
    expect(counters.connectionErrors.get('ping_flood')).toBe(1);
  });

  it('may ping without a call in flight where permit_without_stream says so', async () => {
    const { raw, counters } = await receiver({ minPingIntervalMs: 1, permitWithoutStream: true });
    await new Promise((resolve) => raw.session.once('connect', resolve));
    for (let i = 0; i < 8; i += 1) {
      await new Promise((resolve) => setTimeout(resolve, 3));
      await new Promise((resolve) => raw.session.ping(resolve));
    }
    expect([raw.session.closed, counters.connectionErrors.size]).toEqual([false, 0]);
  });

  it('are told how many streams they may open', async () => {
    const { raw } = await receiver({}, 7);
    await raw.call([frame(Buffer.alloc(0))]);
    expect(raw.session.remoteSettings).toMatchObject({ maxConcurrentStreams: 7, initialWindowSize: 4 * 1024 * 1024 });
  });

  it('are asked whether they live, and one that answers stays', async () => {
    const { raw } = await receiver({ timeMs: 10, timeoutMs: 2000 });
    let pings = 0;
    await new Promise<void>((resolve) => {
      raw.session.on('ping', () => {
        pings += 1;
        if (pings === 3) resolve();
      });
    });
    expect(raw.session.destroyed).toBe(false);
  });
});

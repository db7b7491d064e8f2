import { constants } from 'node:http2';
import { afterEach, describe, expect, it } from 'vitest';
import { finish, post, startAgent, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { grpcExporter, httpExporter, NO_DEADLINE_MS, PATHS, RETRY } from '../kit/settings.ts';
import { type GrpcReply, type GrpcUpstream, grpcUpstream } from '../statements/support/grpc-upstream.ts';
import { type HttpReply, httpUpstream } from '../statements/support/http-upstream.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]();
});
const keep = <T extends AsyncDisposable>(one: T): T => {
  open.push(one);
  return one;
};

const HEADERS = { ':status': 200, 'content-type': 'application/grpc' } as const;
/** One attempt is answered as the test wants, the next with success. */
const once = (first: (reply: GrpcReply) => void): Promise<GrpcUpstream> =>
  grpcUpstream((one, reply) => (one.n === 1 ? first(reply) : reply.ok())).then(keep);

/** Sends three spans to an upstream over gRPC; resolves with the number of attempts and the books. */
async function deliver(upstream: GrpcUpstream, timeoutMs = NO_DEADLINE_MS) {
  const running = await startAgent({ exporters: [grpcExporter(upstream.port, { timeoutMs, retry: RETRY })] });
  expect((await post(running.httpPort, PATHS.traces, request('traces', 3))).status).toBe(200);
  await until(() => running.agent.books().total.queued === 0);
  const { total } = await finish(running);
  return { attempts: upstream.journal.received.length, total };
}

describe('a call that ends without a status is sent again', () => {
  it.each([
    ['NO_ERROR', constants.NGHTTP2_NO_ERROR],
    ['PROTOCOL_ERROR', constants.NGHTTP2_PROTOCOL_ERROR],
    ['INTERNAL_ERROR', constants.NGHTTP2_INTERNAL_ERROR],
    ['FLOW_CONTROL_ERROR', constants.NGHTTP2_FLOW_CONTROL_ERROR],
    ['REFUSED_STREAM', constants.NGHTTP2_REFUSED_STREAM],
    ['CANCEL', constants.NGHTTP2_CANCEL],
    ['ENHANCE_YOUR_CALM', constants.NGHTTP2_ENHANCE_YOUR_CALM],
    ['INADEQUATE_SECURITY', constants.NGHTTP2_INADEQUATE_SECURITY],
  ])('RST_STREAM %s', async (_name, code) => {
    const { attempts, total } = await deliver(await once((reply) => reply.reset(code)));
    expect(attempts).toBe(2);
    expect(total).toMatchObject({ sent: 3, sendFailed: 0 });
  });

  it('a stream that is reset in the middle of its answer', async () => {
    const upstream = await once((reply) => {
      reply.stream.respond(HEADERS);
      reply.stream.write(Buffer.from([0, 0, 0, 1, 0, 1, 2]), () => reply.reset());
    });
    expect(await deliver(upstream)).toMatchObject({ attempts: 2, total: { sent: 3 } });
  });

  it('an answer that ends without trailers', async () => {
    const upstream = await once((reply) => {
      reply.stream.respond(HEADERS);
      reply.stream.end(Buffer.alloc(5));
    });
    expect(await deliver(upstream)).toMatchObject({ attempts: 2, total: { sent: 3 } });
  });

  it('headers and then nothing', async () => {
    const upstream = await once((reply) => reply.stream.respond(HEADERS));
    const { attempts, total } = await deliver(upstream, 1000);
    // Once more, and again where a machine that stood still for a second was late with the answer.
    expect(attempts).toBeGreaterThanOrEqual(2);
    expect(total).toMatchObject({ sent: 3, sendFailed: 0 });
  });

  it('a proxy that answers 503 with a page', async () => {
    const upstream = await once((reply) => {
      reply.stream.respond({ ':status': 503, 'content-type': 'text/html' });
      reply.stream.end('<h1>no</h1>');
    });
    expect(await deliver(upstream)).toMatchObject({ attempts: 2, total: { sent: 3 } });
  });
});

describe('a status that is none', () => {
  it.each(['', 'fine', '-1', '99', '0x0', '1e0'])("grpc-status '%s' is no success and is not sent again", async (status) => {
    const upstream = await once((reply) => reply.stream.respond({ ...HEADERS, 'grpc-status': status }, { endStream: true }));
    expect(await deliver(upstream)).toMatchObject({ attempts: 1, total: { sent: 0, sendFailed: 3 } });
  });

  it('details that are no Status change nothing', async () => {
    const details = { 'grpc-status': '8', 'grpc-status-details-bin': Buffer.from('no status').toString('base64') };
    const upstream = await once((reply) => reply.stream.respond({ ...HEADERS, ...details }, { endStream: true }));
    expect(await deliver(upstream)).toMatchObject({ attempts: 1, total: { sendFailed: 3 } });
  });
});

describe('GOAWAY while calls are under way', () => {
  it('graceful: they are answered on the old connection and not sent again, the next goes on a new one', async () => {
    const upstream = keep(
      await grpcUpstream((one, reply) => {
        if (one.n === 1) reply.session.close(); // GOAWAY with this stream as the last, answered after it
        setTimeout(() => reply.ok(), one.n === 1 ? 50 : 0);
      }),
    );
    const running = await startAgent({ exporters: [grpcExporter(upstream.port, { retry: RETRY })] });
    for (const name of ['first', 'second']) {
      expect((await post(running.httpPort, PATHS.traces, request('traces', 3, name))).status).toBe(200);
      await upstream.journal.until(() => upstream.journal.of(`${name}-0`).length > 0);
    }
    expect((await finish(running)).total).toMatchObject({ sent: 6, sendFailed: 0 });
    expect(upstream.journal.received.map((one) => one.connection)).toEqual([1, 2]);
  });

  it('with an error and the connection gone: all of them are sent again, once', async () => {
    const CALLS = 8;
    const upstream = keep(
      await grpcUpstream((one, reply) => {
        if (one.connection > 1) reply.ok();
        else if (one.n === CALLS) {
          reply.session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0);
          reply.session.destroy();
        }
      }),
    );
    const running = await startAgent({ exporters: [grpcExporter(upstream.port, { retry: RETRY })] });
    for (let i = 0; i < CALLS; i += 1) expect((await post(running.httpPort, PATHS.traces, request('traces', 1, `r${i}`))).status).toBe(200);
    await until(() => running.agent.books().total.queued === 0);
    expect((await finish(running)).total).toMatchObject({ sent: CALLS, sendFailed: 0 });
    for (let i = 0; i < CALLS; i += 1) expect(upstream.journal.of(`r${i}-0`)).toHaveLength(2);
  });
});

describe('a slow answer is an answer', () => {
  it('byte by byte over gRPC, within the timeout', async () => {
    const upstream = await once((reply) => {
      reply.stream.respond(HEADERS, { waitForTrailers: true });
      reply.stream.once('wantTrailers', () => reply.stream.sendTrailers({ 'grpc-status': '0' }));
      let left = 5;
      const timer = setInterval(() => {
        left -= 1;
        if (left > 0) reply.stream.write(Buffer.alloc(1));
        else {
          clearInterval(timer);
          reply.stream.end(Buffer.alloc(1));
        }
      }, 20);
    });
    expect(await deliver(upstream)).toMatchObject({ attempts: 1, total: { sent: 3 } });
  });

  it.each<[string, (reply: HttpReply) => void]>([
    [
      'in pieces',
      ({ response }) => {
        response.writeHead(200, { 'content-type': 'application/x-protobuf', 'content-length': '0' });
        setTimeout(() => response.end(), 60);
      },
    ],
    ['after an early hint', ({ response }) => response.writeEarlyHints({ link: '</a>; rel=preload' }, () => response.writeHead(200).end())],
  ])('over HTTP %s', async (_name, first) => {
    const upstream = keep(await httpUpstream((one, reply) => (one.n === 1 ? first(reply) : reply.ok())));
    const running = await startAgent({ exporters: [httpExporter(upstream.port, { retry: RETRY })] });
    expect((await post(running.httpPort, PATHS.traces, request('traces', 3))).status).toBe(200);
    await until(() => running.agent.books().total.queued === 0);
    expect((await finish(running)).total).toMatchObject({ sent: 3 });
    expect(upstream.journal.received).toHaveLength(1);
  });
});

import { constants } from 'node:http2';
import { expect } from 'vitest';
import { encodeResponse } from '../../../agent/otlp/status.ts';
import { request } from '../kit/otlp.ts';
import { call } from './support/clients.ts';
import { type GrpcReply, grpcUpstream, toGrpc } from './support/grpc-upstream.ts';
import { type HttpReply, httpUpstream, toHttp } from './support/http-upstream.ts';
import type { Bodies, Running } from './support/target.ts';
import { type Journal, type Received, services } from './support/upstream.ts';

const nameOf = (received: Received): string => services(received)[0] ?? '';

async function send(running: Running, name: string, items = 2): Promise<void> {
  expect((await call(running.grpcPort, 'traces', request('traces', items, name))).grpcStatus).toBe('0');
}

/**
 * Sends one request for each way to break and wants each a second time, with the same bytes, and no third time. Only where nobody answers, the
 * patience of the sender is over again on a machine that stands still.
 */
async function breaks(running: Running, journal: Journal, ways: readonly string[]): Promise<void> {
  for (const way of ways) {
    await send(running, way);
    // One after the other, as a broken connection takes all of its calls with it.
    await journal.until(() => journal.of(`${way}-0`).length >= 2);
  }
  for (const way of ways) {
    const attempts = journal.of(`${way}-0`);
    if (way !== SILENCE) expect(attempts.length, way).toBe(2);
    for (const { body } of attempts) expect(body.equals(attempts[0]?.body as Buffer), `${way}: the same bytes`).toBe(true);
  }
}

/** Frame type 7, GOAWAY: streams up to `last` were seen. */
function goaway(reply: GrpcReply, last: number): void {
  reply.session.goaway(constants.NGHTTP2_NO_ERROR, last);
}

const SILENCE = 'no-answer';

const GRPC_WAYS: Readonly<Record<string, (reply: GrpcReply) => void>> = {
  disconnect: (reply) => reply.disconnect(),
  half: (reply) => reply.half(),
  'reset-cancel': (reply) => reply.reset(constants.NGHTTP2_CANCEL),
  'reset-refused': (reply) => reply.reset(constants.NGHTTP2_REFUSED_STREAM),
  [SILENCE]: () => undefined,
  // The call was not seen: last stream 0, and the connection ends.
  'goaway-during': (reply) => {
    goaway(reply, 0);
    reply.session.destroy();
  },
};

const HTTP_WAYS: Readonly<Record<string, (reply: HttpReply) => void>> = {
  disconnect: (reply) => reply.disconnect(),
  reset: (reply) => reply.reset(),
  half: (reply) => reply.half(),
  [SILENCE]: () => undefined,
};

/** All but silence, to a sender that has patience; then silence, to one that has none. */
async function breaksEach(start: (more: object) => Promise<Running>, journal: Journal, ways: readonly string[]): Promise<void> {
  await breaks(
    await start({}),
    journal,
    ways.filter((way) => way !== SILENCE),
  );
  await breaks(await start({ timeout: '1s' }), journal, [SILENCE]);
}

export const CLIENT_BROKEN: Bodies = {
  33: async (target, keep) => {
    const overGrpc = keep.add(
      await grpcUpstream((one, reply) => {
        const way = GRPC_WAYS[nameOf(one).replace(/-0$/, '')];
        if (way === undefined || overGrpc.journal.of(nameOf(one)).length > 1) reply.ok();
        else way(reply);
      }),
    );
    const viaGrpc = async (more: object): Promise<Running> =>
      keep.add(await target.start({ exporters: { otlp_grpc: toGrpc(overGrpc, more) }, signals: ['traces'] }));
    await breaksEach(viaGrpc, overGrpc.journal, Object.keys(GRPC_WAYS));

    const overHttp = keep.add(
      await httpUpstream((one, reply) => {
        const way = HTTP_WAYS[nameOf(one).replace(/-0$/, '')];
        if (way === undefined || overHttp.journal.of(nameOf(one)).length > 1) reply.ok();
        else way(reply);
      }),
    );
    const viaHttp = async (more: object): Promise<Running> =>
      keep.add(await target.start({ exporters: { otlp_http: toHttp(overHttp, more) }, signals: ['traces'] }));
    await breaksEach(viaHttp, overHttp.journal, Object.keys(HTTP_WAYS));

    // GOAWAY before a call: the first connection says goodbye at once; after it: with the answer. Neither makes a duplicate.
    const polite = keep.add(
      await grpcUpstream(
        (one, reply) => {
          reply.ok();
          if (nameOf(one) === 'after-0') reply.session.close();
        },
        (session, n) => {
          if (n === 1) session.close();
        },
      ),
    );
    const third = keep.add(await target.start({ exporters: { otlp_grpc: toGrpc(polite) }, signals: ['traces'] }));
    for (const name of ['before', 'after', 'later']) {
      await send(third, name);
      await polite.journal.until(() => polite.journal.of(`${name}-0`).length > 0);
    }
    expect(polite.journal.received.map(nameOf)).toEqual(['before-0', 'after-0', 'later-0']);
  },

  34: async (target, keep) => {
    const partial = encodeResponse('traces', 1, 'one is bad');
    const overGrpc = keep.add(await grpcUpstream((one, reply) => reply.ok(nameOf(one) === 'bad-0' ? partial : undefined)));
    const overHttp = keep.add(await httpUpstream((one, reply) => reply.ok(nameOf(one) === 'bad-0' ? partial : '')));
    const exporters = { otlp_grpc: toGrpc(overGrpc), otlp_http: toHttp(overHttp) };
    const running = keep.add(await target.start({ exporters, signals: ['traces'] }));
    await send(running, 'bad', 3);
    for (const { journal } of [overGrpc, overHttp]) await journal.until((received) => received.length > 0);
    // Retries come after 50 ms at most: what is sent behind several of those would be behind a retry, too.
    for (let i = 0; i < 10; i += 1) {
      await send(running, `next${i}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (const { journal } of [overGrpc, overHttp]) {
      await journal.until(() => journal.of('next9-0').length > 0);
      expect(journal.of('bad-0')).toHaveLength(1);
    }
  },
};

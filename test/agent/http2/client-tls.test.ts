import { randomBytes } from 'node:crypto';
import { connect } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import type { CallEnd, ClientSession, CreateClient } from '../../../agent/http2/client.ts';
import { createClientSession } from '../../../agent/http2/client-session.ts';
import { createNodeClient } from '../../../agent/http2/node-client.ts';
import { until } from '../kit/agent.ts';
import { frame } from '../kit/raw-http2.ts';
import { CALL } from './kit/raw-server.ts';
import { type TlsEcho, tlsEcho } from './kit/tls-echo.ts';

const CLIENTS: readonly (readonly [name: string, create: CreateClient])[] = [
  ['own', createClientSession],
  ['node', createNodeClient],
];

describe.each(CLIENTS)('the %s client over TLS, which is a duplex stream like any other', (_name, create) => {
  let echo: TlsEcho | undefined;
  let session: ClientSession | undefined;
  afterEach(async () => {
    session?.destroy();
    await until(() => echo?.sessions === 0);
    await echo?.close();
  });

  it('has many calls answered at once, from nothing to 3 MB', async () => {
    const server = await tlsEcho('own');
    echo = server;
    const stream = connect({ host: '127.0.0.1', port: server.port, servername: 'localhost', ca: server.cert, ALPNProtocols: ['h2'] });
    const events = { settings: () => {}, goaway: () => {}, failed: () => {}, closed: () => {} };
    const made = create(stream, { sessionWindowBytes: 1024 * 1024 }, events);
    session = made;
    const messages = [0, 1, 500, 16_384, 70_000, 3_000_000, 5].map((bytes) => randomBytes(bytes));
    const answers = messages.map(
      (message) =>
        new Promise<readonly [Buffer, CallEnd, string | undefined]>((resolve) => {
          const parts: Buffer[] = [];
          let status: string | undefined;
          const body = frame(message);
          made.request(CALL, [body], body.length, {
            response: () => {},
            trailers: (fields) => {
              status = fields.get('grpc-status');
            },
            data: (bytes) => parts.push(Buffer.from(bytes)),
            closed: (end) => resolve([Buffer.concat(parts), end, status]),
          });
        }),
    );
    for (const [i, [body, end, status]] of (await Promise.all(answers)).entries()) {
      expect([end.code, status, body.equals(frame(messages[i] as Buffer))], `message ${i}`).toEqual([0, '0', true]);
    }
    expect(stream.alpnProtocol).toBe('h2');
  });
});

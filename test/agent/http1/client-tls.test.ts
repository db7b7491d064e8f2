import { createHash, randomBytes } from 'node:crypto';
import { connect, createServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpPool } from '../../../agent/http1/client-pool.ts';
import { duplexWire } from '../../../agent/runtime/wire.ts';
import { selfSigned } from '../http2/kit/certificate.ts';
import { OPTIONS, post, type RawServer, rawServer, target } from './client-server.ts';

describe('our HTTP/1.1 client over TLS, which is a duplex stream like any other', () => {
  let server: RawServer | undefined;
  let pool: HttpPool | undefined;
  afterEach(async () => {
    await pool?.close();
    await server?.close();
  });

  const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

  async function tls(ca = true): Promise<HttpPool> {
    const { key, cert } = selfSigned();
    const running = await rawServer(
      ({ socket, body }) => {
        const text = sha(body);
        socket.write(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n${text}\r\n0\r\n\r\n`);
      },
      () => {},
      (onSocket) => createServer({ key, cert }, onSocket),
    );
    server = running;
    const made = new HttpPool(target(running.port), { ...OPTIONS, maxConnections: 3 }, () => {
      const stream = connect({ host: '127.0.0.1', port: running.port, servername: 'localhost', ...(ca ? { ca: cert } : {}) });
      return { stream, wire: duplexWire(stream), ready: 'secureConnect', writesAtOnce: false };
    });
    pool = made;
    return made;
  }

  it('has requests of nothing to 3 MB answered, on few connections', async () => {
    const made = await tls();
    const bodies = [0, 1, 500, 16_384, 32_768, 32_769, 70_000, 3_000_000, 5].map((bytes) => randomBytes(bytes));
    for (let round = 0; round < 3; round += 1) {
      const ends = await Promise.all(bodies.map((body) => post(made, [body])));
      for (const [i, end] of ends.entries())
        expect(end, `body ${i}`).toMatchObject({ kind: 'answer', status: 200, body: Buffer.from(sha(bodies[i] as Buffer)) });
    }
    for (const body of bodies) expect(await post(made, [body])).toMatchObject({ body: Buffer.from(sha(body)) });
    expect(server?.sockets.length).toBe(3);
  });

  it('fails where nobody vouches for the certificate', async () => {
    expect(await post(await tls(false))).toMatchObject({ kind: 'failed', message: expect.stringContaining('self-signed certificate') });
  });
});

import { execFile, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../kit/agent.ts';
import { frame, RawGrpc } from '../kit/raw-http2.ts';
import { selfSigned } from './kit/certificate.ts';
import { headers, PREFACE, settings } from './kit/raw-client.ts';
import { CODECS } from './kit/target.ts';
import { type TlsEcho, tlsEcho } from './kit/tls-echo.ts';

/** Both codecs over node:tls with ALPN, with a certificate that is made here: nothing in them knows of sockets. */

const run = promisify(execFile);
const hasCurl = spawnSync('curl', ['--version'], { stdio: 'ignore' }).status === 0;
const raw = (bytes: Buffer): Buffer => bytes;

it('the certificate of these tests vouches for itself and for localhost', () => {
  const certificate = new X509Certificate(selfSigned().cert);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect([certificate.checkHost('localhost'), certificate.checkIP('127.0.0.1')]).toEqual(['localhost', '127.0.0.1']);
});

describe.each(CODECS)('over TLS, codec %s', (codec) => {
  let echo: TlsEcho;
  let session: ClientHttp2Session | undefined;
  beforeEach(async () => {
    echo = await tlsEcho(codec);
  });
  afterEach(async () => {
    session?.destroy();
    session = undefined;
    await until(() => echo.closed === echo.begun);
    await until(() => echo.sessions === 0);
    await echo.close();
  });
  const open = (): RawGrpc => {
    session = connect(`https://localhost:${echo.port}`, { ca: echo.cert, ALPNProtocols: ['h2'] });
    return new RawGrpc(session);
  };

  it('node:http2 has 200 calls answered at once, from nothing to 300 kB', async () => {
    const client = open();
    const messages = Array.from({ length: 200 }, (_, i) => frame(Buffer.alloc(i % 20 === 0 ? 300_000 : i, i)));
    const answers = await Promise.all(messages.map((one) => client.call([one])));
    for (const [i, answer] of answers.entries()) {
      expect([answer.httpStatus, answer.grpcStatus]).toEqual([200, '0']);
      expect(answer.body.equals(messages[i] as Buffer), `message ${i}`).toBe(true);
    }
    expect(session?.alpnProtocol).toBe('h2');
    expect([echo.begun, echo.faults]).toEqual([200, []]);
  });

  it('node:http2 sends 20 MB in one call, cut as it likes', async () => {
    const whole = Buffer.alloc(20_000_000, 'otlp');
    const pieces = Array.from({ length: 40 }, (_, i) => whole.subarray(i * 500_000, (i + 1) * 500_000));
    const answer = await open().call(pieces);
    expect(answer.body.equals(whole)).toBe(true);
  });

  it('grpc-js has its calls answered, uncompressed and gzip', async () => {
    const client = new grpc.Client(`localhost:${echo.port}`, grpc.credentials.createSsl(Buffer.from(echo.cert)));
    const call = (body: Buffer): Promise<Buffer> =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest('/x.Y/Z', raw, raw, body, new grpc.Metadata(), {}, (error, response) => {
          if (error === null) resolve(response as Buffer);
          else reject(error);
        });
      });
    const bodies = Array.from({ length: 50 }, (_, i) => Buffer.alloc(i * 1000, i));
    const answers = await Promise.all(bodies.map(call));
    expect(answers.every((one, i) => one.equals(bodies[i] as Buffer))).toBe(true);
    client.close();
  });

  it.skipIf(!hasCurl)('curl has its call answered, and refuses a certificate that it was not told of', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'otlp-tls-'));
    const at = (name: string, content: string | Uint8Array): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const message = frame(Buffer.alloc(100_000, 'x'));
    const args = ['-sS', '--http2', '-D', '-', '-o', join(folder, 'out'), '--data-binary', `@${at('in', message)}`];
    const more = ['-H', 'content-type: application/grpc', '-H', 'te: trailers', '-H', 'expect:', `https://localhost:${echo.port}/x.Y/Z`];
    const { stdout } = await run('curl', [...args, '--cacert', at('ca.pem', echo.cert), ...more]);
    expect(stdout).toMatch(/^HTTP\/2 200/);
    expect(stdout).toContain('grpc-status: 0');
    expect(readFileSync(join(folder, 'out')).equals(message)).toBe(true);
    await expect(run('curl', [...args, '--cacert', at('other.pem', selfSigned().cert), ...more])).rejects.toMatchObject({ code: 60 });
    expect(echo.begun).toBe(1);
  });

  it('a connection that breaks off in a request closes its streams', async () => {
    const socket = connectTls({ port: echo.port, host: '127.0.0.1', servername: 'localhost', ca: echo.cert, ALPNProtocols: ['h2'] });
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    socket.write(Buffer.concat([PREFACE, settings(), headers(1), headers(3)]));
    await until(() => echo.begun === 2);
    socket.destroy();
    await until(() => echo.closed === 2 && echo.sessions === 0);
  });

  it('GOAWAY ends the connection with its last stream', async () => {
    const client = open();
    const first = client.open();
    first.stream.write(frame(Buffer.alloc(10)).subarray(0, 7));
    await until(() => echo.begun === 1);
    echo.goodbye();
    await new Promise((resolve) => session?.once('goaway', resolve));
    first.stream.end(Buffer.alloc(8));
    expect((await first.answer).grpcStatus).toBe('0');
    await until(() => session?.destroyed === true || session?.closed === true);
  });
});

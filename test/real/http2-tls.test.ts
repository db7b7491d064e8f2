import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { CODECS } from '../agent/http2/kit/target.ts';
import { type TlsEcho, tlsEcho } from '../agent/http2/kit/tls-echo.ts';
import { GRPC_CALLERS } from './support/grpc-callers.ts';
import { describeReal, newFolder } from './support/index.ts';

/** gRPC over TLS with ALPN h2, which the agent has no keys for yet: both codecs on node:tls, and clients with a TLS of their own. */

/** Six of them: below the mebibyte of answers that may wait for the windows of one connection. */
const LARGE_BYTES = 100_000;

for (const { name, programs, call, speaksTls } of GRPC_CALLERS) {
  if (!speaksTls || programs.length === 0) continue;
  describeReal(programs, `${name} over TLS`, () => {
    let echo: TlsEcho;
    afterEach(() => echo.close());

    describe.each(CODECS)('codec %s', (codec) => {
      it('has 300 calls answered at once, small and large', async () => {
        echo = await tlsEcho(codec);
        const caFile = join(newFolder('tls'), 'ca.pem');
        writeFileSync(caFile, echo.cert);
        const calls = Array.from({ length: 300 }, (_, i) => ({ path: '/x.Y/Z', body: Buffer.alloc(i % 50 === 0 ? LARGE_BYTES : i, i) }));
        const answers = await call(echo.port, calls, { caFile });
        expect(answers.filter((one) => one.code !== 0)).toEqual([]);
        expect(answers.every((one, i) => one.response.equals(calls[i]?.body as Buffer))).toBe(true);
        expect([echo.begun, echo.faults]).toEqual([300, []]);
      });
    });
  });
}

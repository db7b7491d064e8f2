import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Http2Codec } from '../../agent/config/settings.ts';
import { AGENT, Keep } from '../agent/statements/support/target.ts';
import { describeReal, newFolder, realPath, runProgram } from './support/index.ts';

const GONE = 'what comes for a stream that is over is ignored';
const NO_PRIORITIES = 'nghttp2 does not look at PRIORITY any more';

/**
 * h2spec, all of it, against the gRPC port of the agent. A test that fails is named here with its reason, so that a codec which begins to
 * fail or to pass another one is seen.
 */
const FAILS: Readonly<Record<Http2Codec, Readonly<Record<string, string>>>> = {
  own: {},
  node: {
    'http2/5.1: closed: Sends a DATA frame after sending RST_STREAM frame': GONE,
    'http2/5.1: closed: Sends a HEADERS frame after sending RST_STREAM frame': GONE,
    'http2/5.1: closed: Sends a DATA frame': GONE,
    'http2/5.1: closed: Sends a HEADERS frame': GONE,
    'http2/5.1.1: Sends stream identifier that is numerically smaller than previous': GONE,
    'http2/5.3.1: Sends PRIORITY frame that depend on itself': NO_PRIORITIES,
    'http2/6.3: Sends a PRIORITY frame with 0x0 stream identifier': NO_PRIORITIES,
    'http2/6.7: Sends a PING frame with ACK': 'ends the connection where an answer to no ping is to be ignored',
    'http2/6.9.1: Sends multiple WINDOW_UPDATE frames increasing the flow control window to above 2^31-1 on a stream':
      'the stream is answered and gone by then',
  },
};

/** Fails or passes with node:http2, as the answer or the next frame is faster: the stream is over or is not. */
const NODE_MAY_FAIL = [
  'http2/5.1: half closed (remote): Sends a DATA frame',
  'http2/6.1: Sends a DATA frame on the stream that is not in "open" or "half-closed (local)" state',
];

const TESTS = 145;

interface Outcome {
  readonly tests: number;
  /** `section: what it does`. */
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
}

/** The report is JUnit's: `package` is the section, `classname` the test; a failure or a skip is an element in it. */
function read(report: string): Outcome {
  const cases = [...report.matchAll(/<testcase package="([^"]*)" classname="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g)];
  const text = (escaped: string): string =>
    escaped
      .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&amp;', '&');
  const named = (element: string): string[] =>
    cases.filter(([, , , body]) => body?.includes(`<${element}`)).map(([, section, what]) => text(`${section}: ${what}`));
  return { tests: cases.length, failed: named('failure').concat(named('error')), skipped: named('skipped') };
}

describeReal(['h2spec'], 'h2spec', () => {
  describe.each(['own', 'node'] as const)('with http2_codec: %s', (codec) => {
    it('fails where we say, and nowhere else', async () => {
      await using keep = new Keep();
      // Some of its tests ping more than a gRPC client may.
      const keepalive = { enforcement_policy: { min_time: '1ms', permit_without_stream: true } };
      const running = keep.add(
        await AGENT.start({ exporters: { debug: {} }, grpc: { http2_codec: codec, keepalive }, signals: ['traces'] }),
      );
      const report = join(newFolder('h2spec'), 'report.xml');
      const ran = await runProgram(realPath('h2spec'), ['-p', String(running.grpcPort), '-o', '5', '-j', report], { timeoutMs: 110_000 });
      const outcome = read(readFileSync(report, 'utf8'));
      expect(outcome.tests, ran.stdout).toBe(TESTS);
      const excused = codec === 'node' ? NODE_MAY_FAIL : [];
      expect(outcome.failed.filter((each) => !excused.includes(each))).toEqual(Object.keys(FAILS[codec]));
      expect(outcome.skipped).toEqual([]);
    });
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AGENT, Keep } from '../agent/statements/support/target.ts';
import { H2SPEC_FAILS, H2SPEC_NODE_MAY_FAIL } from './h2spec.exceptions.ts';
import { describeReal, newFolder, realPath, runProgram } from './support/index.ts';

/** h2spec, all of it, against the gRPC port of the agent. */

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
      const ran = await runProgram(realPath('h2spec'), ['-p', String(running.grpcPort), '-o', '5', '-j', report], { timeoutMs: 160_000 });
      const outcome = read(readFileSync(report, 'utf8'));
      expect(outcome.tests, ran.stdout).toBe(TESTS);
      const excused = codec === 'node' ? H2SPEC_NODE_MAY_FAIL : [];
      expect(outcome.failed.filter((each) => !excused.includes(each))).toEqual(Object.keys(H2SPEC_FAILS[codec]));
      expect(outcome.skipped).toEqual([]);
    });
  });
});

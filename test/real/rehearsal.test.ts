/** `otlp-stack rehearse` with the real Collector and the real Jaeger, as `npm start` runs it where their binaries are found. */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RehearsalResult } from '../../apps/cli/rehearse/result.ts';
import { printDevelopment, runCli } from '../apps/cli/run-cli.ts';
import { describeReal } from './support/index.ts';

describeReal(['otelcol', 'jaeger'], 'otlp-stack rehearse --sink real', () => {
  let development: string;
  let production: string;
  beforeAll(async () => {
    development = await printDevelopment();
    production = `${development}-production`;
    expect((await runCli(['synth', '--output', production])).code).toBe(0);
  });
  afterAll(() => {
    for (const folder of [development, production]) rmSync(folder, { recursive: true, force: true });
  });

  describe.each(['production', 'development'])('with the %s profile', (profile) => {
    it.each(['http/protobuf', 'grpc'])('brings every span to Jaeger over %s and reads the traces of the service back', async (protocol) => {
      const folder = profile === 'production' ? production : development;
      const { code, stdout, stderr } = await runCli([
        'rehearse',
        folder,
        '--sink',
        'real',
        '--spans',
        '20000',
        '--protocol',
        protocol,
        '--json',
      ]);
      expect(code, stderr).toBe(0);
      const { sink, spans, tracesReadBack, problems } = JSON.parse(stdout) as RehearsalResult;
      expect(sink.kind).toBe('real');
      expect(spans).toMatchObject({ sentByLoad: 20_000, lost: 0, duplicates: 0 });
      expect(spans.delivered).toBe(spans.sent);
      expect(tracesReadBack).toEqual({ asked: 50, found: 50 });
      expect(problems).toEqual([]);
      // What was left out is said, and is no more than what cannot be on one machine.
      expect(sink.leftOut.filter((line) => line.startsWith('pipeline traces'))).toEqual([]);
      expect(sink.leftOut.some((line) => line.includes('elasticsearch storage'))).toBe(profile === 'production');
    });
  });
});

/** The real agent and the real sample service with what is printed now, a small load, and the embedded sink. */
import { readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RehearsalResult } from '../../../../apps/cli/rehearse/result.ts';
import { newFolder, printDevelopment, runCli } from '../run-cli.ts';

const TIMEOUT_MS = 90_000;
const SMALL = ['--spans', '2000', '--sink', 'embedded'];

let dist: string;
beforeAll(async () => {
  dist = await printDevelopment();
}, TIMEOUT_MS);
afterAll(() => rmSync(dist, { recursive: true, force: true }));

const leftovers = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('otlp-stack-rehearsal-'));

describe('rehearse', { timeout: TIMEOUT_MS }, () => {
  it.each(['http/protobuf', 'grpc'])('delivers every span once over %s', async (protocol) => {
    const { code, stdout, stderr } = await runCli(['rehearse', dist, ...SMALL, '--protocol', protocol, '--json']);
    const result = JSON.parse(stdout) as RehearsalResult;
    expect(code, stderr).toBe(0);
    expect(result.sink.kind).toBe('embedded');
    expect(result.load).toMatchObject({ sent: 2000, unacknowledged: 0, requests: 4, protocol });
    expect(result.load.bytesPerSpan).toBeGreaterThan(340);
    expect(result.load.bytesPerSpan).toBeLessThan(400);
    // The sample service answers 50 requests, each of them at least one span.
    expect(result.spans.sentByService).toBeGreaterThanOrEqual(50);
    const sent = 2000 + result.spans.sentByService;
    expect(result.spans).toMatchObject({ sent, accepted: sent, delivered: sent, lost: 0, duplicates: 0 });
    expect(result.load.p95Ms).toBeGreaterThanOrEqual(result.load.p50Ms);
    expect(result.agent.cpuSecondsPerMillionSpans).toBeGreaterThan(0);
    expect(result.agent.rssBytes).toBeGreaterThan(10_000_000);
    expect(result.problems).toEqual([]);
  });

  it('tells what it changed, and ends with one table and three steps', async () => {
    const { code, stdout, stderr } = await runCli(['rehearse', dist, ...SMALL]);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/receivers\.otlp\.protocols\.grpc\.endpoint +localhost:4317 -> localhost:\d+/);
    expect(stderr).toMatch(/extensions\.health_check\.endpoint +\$\{env:MY_POD_IP\}:13133 -> \$\{env:MY_POD_IP\}:\d+/);
    expect(stderr).toMatch(/otel-collector\.observability\.svc\.cluster\.local:4317 -> 127\.0\.0\.1:\d+/);
    expect(stderr).toMatch(/OTEL_EXPORTER_OTLP_ENDPOINT +http:\/\/localhost:4318 -> http:\/\/localhost:\d+/);
    expect(stdout.match(/^┌/gm)).toHaveLength(1);
    for (const row of ['spans sent', 'spans accepted', 'spans delivered', 'spans lost', 'p50 / p95', 'agent CPU', 'agent memory']) {
      expect(stdout).toContain(`│ ${row}`);
    }
    expect(stdout).toContain('Every span arrived once.');
    expect(stdout.split('Next:\n')[1]?.trimEnd().split('\n')).toHaveLength(3);
  });

  it('fails with exit code 1 when the sink refuses for good, and counts the loss', async () => {
    const { code, stdout, stderr } = await runCli(['rehearse', dist, '--spans', '2000', '--refuse', '--json']);
    const { spans } = JSON.parse(stdout) as RehearsalResult;
    expect(code, stderr).toBe(1);
    expect(spans.accepted).toBe(spans.sent);
    expect(spans.delivered).toBe(0);
    expect(spans.lost).toBe(spans.sent);
  });

  it('keeps everything running with --keep until ^C, then ends it in order', async () => {
    const before = leftovers();
    let answered: number | undefined;
    const { code, stdout, stderr } = await runCli(['rehearse', dist, ...SMALL, '--keep', '--json'], {
      running: (child) => {
        let said = '';
        child.stderr?.on('data', (text: string) => {
          said += text;
          const [, service] = /^ {2}sample service +(http:\S+)\n/m.exec(said) ?? [];
          if (service === undefined || answered !== undefined) return;
          answered = 0;
          void fetch(service)
            .then((response) => {
              answered = response.status;
            })
            .finally(() => child.kill('SIGINT'));
        });
      },
    });
    const { open, spans } = JSON.parse(stdout) as RehearsalResult & { open: { what: string; address: string }[] };
    expect(code, stderr).toBe(0);
    expect(spans.lost).toBe(0);
    expect(answered).toBe(200);
    const service = open.find(({ what }) => what === 'sample service')?.address ?? '';
    await expect(fetch(service)).rejects.toThrow('fetch failed');
    expect(leftovers().filter((name) => !before.includes(name))).toEqual([]);
  });

  it('ends everything when it is stopped before the result', async () => {
    const { code, stdout, stderr } = await runCli(['rehearse', dist, '--spans', '5000000', '--sink', 'embedded', '--json'], {
      running: (child) => child.stderr?.on('data', (text: string) => text.includes('spans delivered') && child.kill('SIGTERM')),
    });
    expect({ code, stdout }, stderr).toEqual({ code: 130, stdout: '' });
    expect(stderr).toContain('everything that was started has ended');
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('fails with --sink real where the programs are not to be had, and names them', async () => {
    const env = { OTLP_REAL_CACHE: newFolder(), PATH: newFolder() };
    const { code, stderr } = await runCli(['rehearse', dist, '--sink', 'real'], { env });
    expect(code).toBe(2);
    expect(stderr).toContain('no otelcol and no jaeger in');
  });
});

describe('start', { timeout: TIMEOUT_MS }, () => {
  it('prints the reference stack into dist/ and rehearses it', async () => {
    const { code, stdout, stderr } = await runCli(['start', ...SMALL], { cwd: newFolder() });
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('objects in dist/');
    expect(stdout).toContain('Every span arrived once.');
    expect(stdout).toContain('npm start -- --keep');
  });

  it('prints one JSON object with --json', async () => {
    const { stdout } = await runCli(['start', ...SMALL, '--json'], { cwd: newFolder() });
    const { folder, objects, spans } = JSON.parse(stdout) as RehearsalResult & { folder: string; objects: object[] };
    expect(folder).toBe('dist');
    expect(objects.length).toBeGreaterThan(50);
    expect(spans.lost).toBe(0);
  });
});

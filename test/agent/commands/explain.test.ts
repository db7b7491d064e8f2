import { describe, expect, it } from 'vitest';
import { describePipelines } from '../../../agent/commands/describe.ts';
import { load } from '../../../agent/config/load.ts';
import { CORPUS_ENVIRONMENT, corpus } from '../support/mutations.ts';
import { configFile, Program, runAgent } from '../support/program.ts';

const CONFIG = `receivers:
  otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" } } }
processors:
  memory_limiter: { check_interval: 1s, limit_mib: 100, spike_limit_mib: 25 }
  resource: { attributes: [{ key: a, value: b, action: upsert }] }
connectors:
  forward:
exporters:
  otlp_grpc:
    endpoint: 127.0.0.1:9
    tls: { insecure: true }
    sending_queue: { queue_size: 77, on_overflow: drop_oldest, batch: { min_size: 500, flush_timeout: 300ms, max_size: 600 } }
  otlp_http: { endpoint: "http://127.0.0.1:9", sending_queue: { wait_for_result: true }, retry_on_failure: { enabled: false } }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    traces: { receivers: [otlp], processors: [memory_limiter, resource], exporters: [forward, otlp_grpc] }
    traces/2: { receivers: [forward], exporters: [otlp_http] }
`;

describe('otlp-agent explain', () => {
  it('draws each pipeline stage by stage, with every limit and every end', async () => {
    const { code, stdout } = await runAgent(['explain', configFile(CONFIG)]);
    expect(code).toBe(0);
    for (const text of [
      /^traces$/mu,
      /^traces\/2$/mu,
      /receive {2}otlp\/grpc +OTLP\/gRPC at 127\.0\.0\.1:0/u,
      /memory_limiter: 100 MiB for the process, new requests up to 75 MiB/u,
      /process {2}resource /u,
      /connect {2}forward /u,
      /on to traces\/2/u,
      /in memory, 77 requests, 10 in flight/u,
      /! when it is full drops the oldest, counted as evicted/u,
      /merged up to 500 items or for 300ms, split above 600/u,
      /the sender is answered when its request was delivered/u,
      /otlp_http to http:\/\/127\.0\.0\.1:9\/v1\/traces/u,
    ])
      expect(stdout).toMatch(text);
  });

  it('says what workers share out, and that connections are spread over them', async () => {
    const { code, stdout } = await runAgent(['explain', configFile(CONFIG), '--set', 'agent.workers=2']);
    expect(code).toBe(0);
    expect(stdout).toContain('connections are spread over 2 workers');
    expect(stdout).toContain('shared out among 2 workers: 39 in a worker');
  });

  it('prints the same as JSON', async () => {
    const { stdout } = await runAgent(['explain', '--json', '--config', configFile(CONFIG)]);
    const pipelines = JSON.parse(stdout) as { id: string; stages: { stage: string; id: string }[] }[];
    expect(pipelines.map(({ id, stages }) => [id, stages.map(({ stage }) => stage)])).toEqual([
      ['traces', ['receive', 'admit', 'process', 'connect', 'queue', 'export']],
      ['traces/2', ['receive', 'admit', 'queue', 'export']],
    ]);
  });

  it('explains every configuration that there is an example of', () => {
    for (const { name, path } of corpus()) {
      const { settings } = load({ configs: [path], environment: CORPUS_ENVIRONMENT });
      const pipelines = describePipelines(settings);
      expect(pipelines.length, name).toBe(settings.pipelines.length);
      for (const { stages } of pipelines) {
        expect(
          stages.every(({ does }) => does.length > 0),
          name,
        ).toBe(true);
        expect(stages.map(({ stage }) => stage)).toEqual(expect.arrayContaining(['receive', 'admit']));
      }
    }
  });

  it('fails on a wrong configuration with its problems, and without one with the usage', async () => {
    expect(await runAgent(['explain', configFile('receivers: {}\n')])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('exporters'),
    });
    expect(await runAgent(['explain'])).toMatchObject({ code: 2, stderr: expect.stringContaining('explain FILE') });
  });
});

describe('at start', () => {
  it('one line is logged for each listener, pipeline and exporter', async () => {
    await using agent = new Program(['--config', configFile(CONFIG)]);
    await agent.event('started');
    await agent.event('exporter', 2);
    const said = agent.lines().filter(({ msg }) => ['listener', 'pipeline', 'exporter'].includes(String(msg)));
    expect(
      said.map(
        ({ listener, pipeline, exporter, path, to }) =>
          listener ?? (pipeline === undefined ? `${exporter}: ${to}` : `${pipeline}: ${path}`),
      ),
    ).toEqual([
      expect.stringMatching(/^otlp\/grpc at 127\.0\.0\.1:[1-9]\d*: OTLP\/gRPC, messages up to 64 MiB$/u),
      'traces: otlp -> memory_limiter -> resource -> forward + otlp_grpc',
      'traces/2: forward -> otlp_http',
      'otlp_grpc: 127.0.0.1:9, compression gzip',
      'otlp_http: http://127.0.0.1:9/v1/traces, compression gzip',
    ]);
  });

  it('a memory limit below what the process itself needs is said', async () => {
    await using agent = new Program(['--config', configFile(CONFIG.replace('limit_mib: 100, spike_limit_mib: 25', 'limit_mib: 30'))]);
    expect(await agent.event('configuration')).toMatchObject({
      level: 'warn',
      key: 'processors.memory_limiter.limit_mib',
      message: expect.stringMatching(/^the limit of 30 MiB is near the \d+ MiB that the process needs for itself/u),
    });
  });
});

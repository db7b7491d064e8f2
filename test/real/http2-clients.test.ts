import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Http2Codec } from '../../agent/config/settings.ts';
import { SIGNAL_FACTS } from '../../agent/otlp/signals.ts';
import { CODECS } from '../agent/http2/kit/target.ts';
import { finish, type Running, startAgent } from '../agent/kit/agent.ts';
import { request } from '../agent/kit/otlp.ts';
import { frame } from '../agent/kit/raw-http2.ts';
import { grpcExporter, QUEUE } from '../agent/kit/settings.ts';
import { grpcSink, type Sink } from '../agent/kit/sink.ts';
import { describeReal, freePorts, newFolder, realPath, recordSkip, runProgram, startOtelcol, waitFor } from './support/index.ts';

/** Programs that speak HTTP/2 to the gRPC port, and the Collector as a sender, over both codecs. */

const PATH = SIGNAL_FACTS.traces.grpcPath;
const has = (program: string): boolean => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;

let sink: Sink;
let running: Running;

async function start(codec: Http2Codec): Promise<void> {
  sink = await grpcSink();
  running = await startAgent({ exporters: [grpcExporter(sink.port, { queue: { ...QUEUE, capacity: 100_000 } })], grpc: { codec } });
}

afterEach(async () => {
  await finish(running);
  await sink.close();
});

/** `spans` arrived, all of them were accepted, and no more. */
async function arrived(spans: number): Promise<void> {
  await waitFor(() => sink.delivered() >= spans, { what: `${spans} spans` });
  expect([sink.delivered(), running.agent.books().total.accepted]).toEqual([spans, spans]);
}

function inFile(bytes: Uint8Array): string {
  const file = join(newFolder('body'), 'body.bin');
  writeFileSync(file, bytes);
  return file;
}

for (const program of ['curl', 'h2load', 'nghttp']) if (!has(program)) recordSkip(`${program} over HTTP/2`, [`${program} is not on PATH`]);

describe.skipIf(!has('curl')).each(CODECS)('curl, http2_codec: %s', (codec) => {
  /** Status, headers and trailers, body. */
  async function curl(body: Uint8Array, ...args: readonly string[]): Promise<{ readonly head: string; readonly body: Buffer }> {
    const out = inFile(Buffer.alloc(0));
    const all = [
      '-sS',
      '--http2-prior-knowledge',
      '-D',
      '-',
      '-o',
      out,
      '--data-binary',
      `@${inFile(body)}`,
      '-H',
      'content-type: application/grpc',
    ];
    const ran = await runProgram('curl', [
      ...all,
      '-H',
      'te: trailers',
      '-H',
      'expect:',
      ...args,
      `http://127.0.0.1:${running.grpcPort}${PATH}`,
    ]);
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    return { head: ran.stdout.replaceAll('\r', ''), body: readFileSync(out) };
  }

  it('gets the answer to a call with its trailers', async () => {
    await start(codec);
    const answer = await curl(frame(request('traces', 3)));
    expect(answer.head).toMatch(/^HTTP\/2 200 \n/);
    expect(answer.head).toContain('content-type: application/grpc\n');
    expect(answer.head).toContain('grpc-status: 0\n');
    expect(answer.body).toEqual(Buffer.alloc(5));
    await arrived(3);
  });

  it('sends 11 MB, more than the windows', async () => {
    await start(codec);
    const spans = 60_000;
    const body = request('traces', spans, 'a-name-that-makes-a-span-larger-'.repeat(4));
    expect(body.length).toBeGreaterThan(10e6);
    expect((await curl(frame(body))).head).toContain('grpc-status: 0\n');
    await arrived(spans);
  });

  it('is refused with 405 and the reason for another method, with none of it for HEAD', async () => {
    await start(codec);
    const answer = await curl(new Uint8Array(0), '-X', 'PUT');
    expect([answer.head.split('\n')[0], answer.body.toString()]).toEqual(['HTTP/2 405 ', 'only POST is allowed']);
    const url = `http://127.0.0.1:${running.grpcPort}/`;
    const head = await runProgram('curl', ['-sS', '--http2-prior-knowledge', '--head', url]);
    expect(head.stdout).toMatch(/^HTTP\/2 405/);
    await arrived(0);
  });
});

describe.skipIf(!has('h2load')).each(CODECS)('h2load, http2_codec: %s', (codec) => {
  it.each([
    ['1 connection, 100 streams', ['-c', '1', '-m', '100']],
    ['20 connections, 10 streams', ['-c', '20', '-m', '10']],
    ['small windows', ['-c', '2', '-m', '20', '-w', '4', '-W', '5']],
  ])('has all of 4000 calls answered: %s', async (_what, how) => {
    await start(codec);
    const body = inFile(frame(request('traces', 5)));
    const args = ['-n', '4000', ...how, '-d', body, '-H', 'content-type: application/grpc', '-H', 'te: trailers'];
    const ran = await runProgram('h2load', [...args, `http://127.0.0.1:${running.grpcPort}${PATH}`]);
    expect(ran.stdout).toContain('requests: 4000 total, 4000 started, 4000 done, 4000 succeeded, 0 failed, 0 errored, 0 timeout');
    await arrived(20_000);
  });
});

describe.skipIf(!has('nghttp')).each(CODECS)('nghttp, http2_codec: %s', (codec) => {
  it('sends its priorities, padding and trailers, and is answered', async () => {
    await start(codec);
    const args = [
      '-v',
      '-p',
      '220',
      '-b',
      '64',
      '--trailer',
      'x-checksum: 1',
      '-H',
      'content-type: application/grpc',
      '-H',
      'te: trailers',
    ];
    const ran = await runProgram('nghttp', [
      ...args,
      '-d',
      inFile(frame(request('traces', 2))),
      `http://127.0.0.1:${running.grpcPort}${PATH}`,
    ]);
    expect(ran.stdout).toContain('grpc-status: 0');
    await arrived(2);
  });
});

describeReal(['otelcol', 'telemetrygen'], 'the Collector as a sender', () => {
  it.each(CODECS.flatMap((codec) => (['none', 'gzip', 'zstd', 'snappy'] as const).map((compression) => [codec, compression] as const)))(
    'delivers every span once, http2_codec: %s, compression: %s',
    async (codec, compression) => {
      await start(codec);
      const port = await freePorts('otlp', 'metrics');
      const collector = await startOtelcol({
        config: {
          receivers: { otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${port.otlp}` } } } },
          exporters: { otlp_grpc: { endpoint: `127.0.0.1:${running.grpcPort}`, tls: { insecure: true }, compression } },
          service: {
            telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port: port.metrics } } } }] } },
            pipelines: { traces: { receivers: ['otlp'], exporters: ['otlp_grpc'] } },
          },
        },
      });
      const args = [
        'traces',
        '--otlp-insecure',
        '--otlp-endpoint',
        `127.0.0.1:${port.otlp}`,
        '--traces',
        '500',
        '--workers',
        '4',
        '--rate',
        '0',
      ];
      expect((await runProgram(realPath('telemetrygen'), args)).code).toBe(0);
      // SIGTERM: the Collector sends what it has, and says goodbye to us.
      const text = await (await fetch(`http://127.0.0.1:${port.metrics}/metrics`)).text();
      const taken = Number(/^otelcol_receiver_accepted_spans\S* (\S+)/m.exec(text)?.[1]);
      expect(taken).toBeGreaterThanOrEqual(1000);
      await collector.stop();
      await arrived(taken);
      expect(await running.agent.metrics()).not.toContain('otlp_agent_connection_errors{kind="http2"}');
    },
  );
});

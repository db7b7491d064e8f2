import { afterEach, describe, expect, it } from 'vitest';
import { LoadWatch } from '../../../agent/telemetry/load-watch.ts';
import { finish, type LogLine, post, type Running, recordingLog, startAgent, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { grpcExporter } from '../kit/settings.ts';
import { grpcSink, type Sink } from '../kit/sink.ts';

let running: Running | undefined;
const sinks: Sink[] = [];
afterEach(async () => {
  if (running !== undefined) await finish(running, 50);
  running = undefined;
  for (const sink of sinks.splice(0)) await sink.close();
});

const ask = async (path: string): Promise<{ code: number; body: string }> => {
  const answer = await fetch(`http://127.0.0.1:${running?.healthPort}${path}`);
  return { code: answer.status, body: await answer.text() };
};

describe('/status', () => {
  it('says of each pipeline whether its exporters deliver, and what they fail with', async () => {
    let up = false;
    const sink = await grpcSink(() => (up ? undefined : { code: 14, message: 'not today' }));
    sinks.push(sink);
    running = await startAgent({ exporters: [grpcExporter(sink.port)] });
    expect(JSON.parse((await ask('/status')).body)).toMatchObject({ status: 'ok', reason: '' });
    await post(running.httpPort, '/v1/logs', request('logs', 1));
    await until(() => running?.agent.status().status === 'degraded');
    const answer = await ask('/status');
    expect(answer.code).toBe(200); // worth a look, and no reason to send less
    const { pipelines, load } = JSON.parse(answer.body) as ReturnType<Running['agent']['status']>;
    expect(pipelines.map(({ id, status }) => [id, status])).toEqual([
      ['traces', 'ok'],
      ['metrics', 'ok'],
      ['logs', 'degraded'],
      ['profiles', 'ok'],
    ]);
    expect(pipelines[2]?.exporters).toEqual([
      { id: 'otlp_grpc', status: 'degraded', failing: expect.stringContaining('not today'), queue: { size: 1, capacity: 1000 } },
    ]);
    expect(Object.keys(load)).toEqual(['cpu', 'memory', 'io']);
    up = true;
    await until(() => running?.agent.status().status === 'ok');
  });

  it('is 503 while the agent drains, with the reason', async () => {
    const sink = await grpcSink(() => ({ code: 14, message: 'down' }));
    sinks.push(sink);
    running = await startAgent({ exporters: [grpcExporter(sink.port)] });
    await post(running.httpPort, '/v1/logs', request('logs', 1));
    const drained = running.agent.drain(300);
    expect(await ask('/status')).toMatchObject({
      code: 503,
      body: expect.stringMatching(/"status": "not ready",\s+"reason": "draining"/u),
    });
    await drained;
  });
});

describe('the load of the process', () => {
  it('is said once when it crosses its threshold, and once when it falls below', () => {
    const lines: LogLine[] = [];
    const watch = new LoadWatch({ cpu: 0.8, memory: 0.85, io: 0.9 }, 2 ** 30, recordingLog(lines));
    watch.judge({ cpu: 0.79, memory: 0.5, io: 0.1 });
    watch.judge({ cpu: 0.8, memory: 0.9, io: 0.1 });
    watch.judge({ cpu: 0.95, memory: 0.9, io: 0.1 });
    expect([...watch.above]).toEqual(['cpu', 'memory']);
    watch.judge({ cpu: 0.1, memory: 0.9, io: 0.1 });
    expect(lines.map(({ level, fields }) => [level, fields.resource, fields.percent])).toEqual([
      ['warn', 'cpu', 80],
      ['warn', 'memory', 90],
      ['info', 'cpu', 10],
    ]);
  });
});

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OtlpSink, startOtlpSink } from '../../support/otlp-sink.ts';
import { type RunningService, runService, runToEnd } from './run-service.ts';

let sink: OtlpSink;
beforeEach(async () => {
  sink = await startOtlpSink();
});
afterEach(() => sink.close());

/** Connections are served in the order of their arrival, so an answer to a later one says that the earlier ones were taken. */
const requestBegan = async (service: RunningService): Promise<void> => void (await fetch(`${service.url}/health/live`));

describe('SIGTERM', () => {
  it('finishes requests under way, flushes the last spans, metrics and logs, and exits with 0', async () => {
    const yaml = 'batch: { delay: 1h }\nmetrics: { interval: 1h }\nlogs: { export: true }';
    const service = await runService({ yaml, env: { OTLP__BATCH__DELAY: '', OTLP__EXPORTER__ENDPOINT: sink.httpUrl } });
    for (let request = 0; request < 3; request++) await fetch(service.url);
    const slow = fetch(`${service.url}/api/slow?ms=700`);
    await requestBegan(service);
    expect(sink.requests).toEqual([]);
    const code = service.stop();
    await service.line('draining');
    await expect(fetch(`${service.url}/health/ready`), 'no new connections').rejects.toThrow();
    expect((await slow).status).toBe(200);
    expect(await code).toBe(0);
    expect(sink.spans().filter(({ kind }) => kind === 2)).toHaveLength(4);
    expect(sink.spans().map(({ name }) => name)).toContain('warehouse.wait');
    expect(sink.metrics().map(({ name }) => name)).toContain('http.server.request.duration');
    expect(sink.logs().filter(({ body }) => body === 'request')).toHaveLength(4);
    expect(await service.line('stopped')).toMatchObject({ level: 'info', cut_requests: 0, lost_spans: 0, exported: 5, dropped: 0 });
  });

  it('says not ready to a check that is under way, and closes the connection with the answer', async () => {
    const service = await runService({ env: { OTLP__EXPORTER__ENDPOINT: sink.httpUrl } });
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8').on('data', (text) => {
      answer += text;
    });
    // A request that has begun keeps its connection open; its last bytes come when the service is draining.
    socket.write('GET /health/ready HTTP/1.1\r\nhost: service\r\n');
    expect((await fetch(`${service.url}/health/ready`)).status).toBe(200);
    const code = service.stop();
    await service.line('draining');
    socket.write('\r\n');
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer.toLowerCase()).toContain('connection: close');
    expect(answer).toContain('{"status":"draining"}');
    expect(await code).toBe(0);
  });

  it('ends at its deadline when the agent hangs, counts what it could not deliver, and still exits with 0', async () => {
    sink.respond(() => new Promise(() => undefined));
    const service = await runService({ env: { OTLP__EXPORTER__ENDPOINT: sink.httpUrl, OTLP__SERVER__SHUTDOWN: '400ms' } });
    for (let request = 0; request < 3; request++) await fetch(service.url);
    expect(await service.stop()).toBe(0);
    expect(await service.line('stopped')).toMatchObject({ level: 'error', lost_spans: 3, exported: 0, dropped: 3 });
  });

  it('cuts requests that do not end in time, and says how many', async () => {
    const service = await runService({ env: { OTLP__EXPORTER__ENDPOINT: sink.httpUrl, OTLP__SERVER__SHUTDOWN: '400ms' } });
    const slow = fetch(`${service.url}/api/slow?ms=20000`).catch((error: Error) => error);
    await requestBegan(service);
    expect(await service.stop()).toBe(0);
    expect(await slow).toBeInstanceOf(Error);
    expect(await service.line('stopped')).toMatchObject({ level: 'error', cut_requests: 1 });
    expect(service.log.find(({ message }) => message === 'request')).toMatchObject({ route: '/api/slow', status: 499 });
  });

  it('ends at once on a second signal', async () => {
    sink.respond(() => new Promise(() => undefined));
    const service = await runService({ env: { OTLP__EXPORTER__ENDPOINT: sink.httpUrl, OTLP__SERVER__SHUTDOWN: '1h' } });
    await fetch(service.url);
    const code = service.stop();
    await service.line('draining');
    service.process.kill('SIGTERM');
    expect(await code).toBe(1);
  });
});

describe('health', () => {
  it('answers live, ready and startup once it is up, agent or not', async () => {
    const service = await runService({ env: { OTLP__EXPORTER__ENDPOINT: 'http://127.0.0.1:1' } });
    for (const path of ['live', 'ready', 'startup']) {
      const answer = await fetch(`${service.url}/health/${path}`);
      expect([answer.status, await answer.json()], path).toEqual([200, { status: 'ready' }]);
    }
  });
});

describe('bad requests', () => {
  it('fails them with a status and a reason, and keeps serving', async () => {
    const service = await runService({ env: { OTLP__EXPORTER__ENDPOINT: sink.httpUrl } });
    const post = async (body: string): Promise<[number, unknown]> => {
      const answer = await fetch(`${service.url}/api/orders`, { method: 'POST', body });
      return [answer.status, ((await answer.json()) as { error: string }).error];
    };
    expect(await post('{')).toEqual([400, 'the body is not JSON']);
    expect(await post('null')).toEqual([400, expect.stringContaining('item is missing')]);
    expect(await post('{"item":"book","quantity":0}')).toEqual([400, "quantity is '0'; expected a whole number from 1 to 1000"]);
    expect(await post('{"item":"yacht"}')).toEqual([404, "no item 'yacht'; there are book, lamp, poster"]);
    expect(await post('{"item":"poster","quantity":4}')).toEqual([409, "only 3 of 'poster' left, wanted 4"]);
    expect(await post(`"${'x'.repeat(70_000)}"`)).toEqual([413, 'the body is larger than 65536 bytes']);
    expect((await fetch(`${service.url}/api/slow?ms=-1`)).status).toBe(400);
    expect((await fetch(`${service.url}/api/orders/%zz`)).status).toBe(400);
    const refused = await fetch(`${service.url}/api/orders`, { method: 'PUT' });
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, POST']);
    expect((await fetch(service.url)).status).toBe(200);
  });
});

describe('a start that cannot succeed', () => {
  it('fails with one line and code 1 when the port is in use', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as { port: number };
    const run = await runToEnd({ env: { OTLP__SERVICE__PORT: String(port), OTLP__EXPORTER__ENDPOINT: sink.httpUrl } });
    holder.close();
    expect(run).toEqual({
      code: 1,
      stdout: '',
      stderr: `otlp-sample-service: port ${port} is in use (service.port ${port}, from OTLP__SERVICE__PORT); choose another one with OTLP__SERVICE__PORT\n`,
    });
  });

  it('fails with one line per mistake and code 2 when the configuration is wrong', async () => {
    const run = await runToEnd({ yaml: 'service:\n  nam: shop\n', env: { OTLP__BATCH__DELAY: 'soon' } });
    expect([run.code, run.stdout]).toEqual([2, '']);
    expect(run.stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^otlp-sample-service: .*production\.yaml:2: unknown key 'service\.nam'; did you mean 'name'\?/),
      'otlp-sample-service: OTLP__BATCH__DELAY: batch.delay is "soon": expected a duration with a unit, such as 100ms, 30s or 5m',
    ]);
  });

  it('fails with code 2 for a missing file and for unknown arguments', async () => {
    const missing = await runToEnd({ args: ['--config', '/no/such.yaml'] });
    expect([missing.code, missing.stderr]).toEqual([
      2,
      'otlp-sample-service: /no/such.yaml: no such file; name the configuration with --config or OTLP_CONFIG_FILE\n',
    ]);
    const unknown = await runToEnd({ args: ['--spans', '5'] });
    expect([unknown.code, unknown.stderr]).toEqual([2, "otlp-sample-service: Unknown option '--spans'; see otlp-sample-service --help\n"]);
  });

  it('prints help and version', async () => {
    expect(await runToEnd({ args: ['--help'] })).toMatchObject({ code: 0, stdout: expect.stringContaining('--config FILE') });
    expect(await runToEnd({ args: ['--version'] })).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' });
  });
});

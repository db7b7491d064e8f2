import { describe, expect, it } from 'vitest';
import { ownPort } from '../kit/ports.ts';
import { corpus } from '../support/mutations.ts';
import { configFile, Program, runAgent, takenPort } from '../support/program.ts';

/** Everything on free ports; nothing leaves the machine, as nothing is sent. */
const FREE_PORTS = `receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:0
      http:
        endpoint: 127.0.0.1:0
exporters:
  debug:
extensions:
  health_check:
    endpoint: 127.0.0.1:0
service:
  extensions: [health_check]
  telemetry:
    metrics:
      readers: [{ pull: { exporter: { prometheus: { host: 127.0.0.1, port: 0 } } } }]
  pipelines:
    traces: { receivers: [otlp], exporters: [debug] }
`;

describe('otlp-agent --config', () => {
  it('starts, answers, and drains on SIGTERM with exit code 0', async () => {
    // Asked again when it has ended: nobody else's health may answer then.
    const health = `health_check:\n    endpoint: 127.0.0.1:${await ownPort()}`;
    await using agent = new Program(['--config', configFile(FREE_PORTS.replace('health_check:\n    endpoint: 127.0.0.1:0', health))]);
    const addresses = await agent.listening();
    expect(Object.keys(addresses).sort()).toEqual(['health_check', 'metrics', 'otlp/grpc', 'otlp/http']);
    const answer = await fetch(`http://${addresses['otlp/http']}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: new Uint8Array(),
    });
    expect(answer.status).toBe(200);
    expect((await fetch(`http://${addresses.metrics}/metrics`)).status).toBe(200);
    const healthy = await runAgent(['health-check', '--url', `http://${addresses.health_check}/`]);
    expect(healthy).toMatchObject({ code: 0, stdout: `http://${addresses.health_check}/: ready\n` });
    agent.signal('SIGTERM');
    expect((await agent.ended).code).toBe(0);
    expect(agent.lines().map(({ msg }) => msg)).toEqual(expect.arrayContaining(['started', 'draining', 'drained']));
    expect(await runAgent(['health-check', '--url', `http://${addresses.health_check}/`])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('OTLP_UNHEALTHY'),
    });
  });

  it('drains on SIGINT too', async () => {
    await using agent = new Program(['--config', configFile(FREE_PORTS)]);
    await agent.listening();
    agent.signal('SIGINT');
    expect((await agent.ended).code).toBe(0);
  });

  it('exits at once at a second signal, while a drain still waits for the backend', async () => {
    const sets = [
      'exporters={otlp_grpc: {endpoint: "127.0.0.1:9", tls: {insecure: true}}}',
      'service.pipelines.traces.exporters=[otlp_grpc]',
    ];
    await using agent = new Program(['--config', configFile(FREE_PORTS), ...sets.flatMap((set) => ['--set', set])]);
    const { 'otlp/http': http } = await agent.listening();
    // One empty span, as in bundle.test.ts.
    const body = Uint8Array.of(0x0a, 0x04, 0x12, 0x02, 0x12, 0x00);
    await fetch(`http://${http}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/x-protobuf' }, body });
    agent.signal('SIGTERM');
    await agent.event('draining');
    agent.signal('SIGTERM');
    expect((await agent.ended).code).toBe(143);
  });

  it("runs the guide's file with nothing changed but its addresses", async () => {
    const guide = corpus().find(({ name }) => name === 'guide-agent.yaml')?.path ?? '';
    const sets = [
      'receivers.otlp.protocols.grpc.endpoint=127.0.0.1:0',
      'receivers.otlp.protocols.http.endpoint=127.0.0.1:0',
      'exporters.otlp.endpoint=127.0.0.1:9',
      'service.telemetry.metrics.level=none',
    ];
    await using agent = new Program(['--config', guide, ...sets.flatMap((set) => ['--set', set])], { K8S_POD_NAME: 'pod-1' });
    expect(Object.keys(await agent.listening()).sort()).toEqual(['otlp/grpc', 'otlp/http']);
    agent.signal('SIGTERM');
    expect((await agent.ended).code).toBe(0);
  });

  it('logs a line for each notice', async () => {
    await using agent = new Program(['--config', configFile(FREE_PORTS), '--set', 'receivers.otlp.protocols.grpc.read_buffer_size=1024']);
    await agent.listening();
    expect(agent.lines()).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        msg: 'configuration',
        key: 'receivers.otlp.protocols.grpc.read_buffer_size',
        message: 'has no effect: sizes Go buffers; Node sizes its own',
      }),
    );
  });

  it('fails on a port in use with the port, the key and its line, and exit code 1', async () => {
    await using taken = await takenPort();
    const file = configFile(FREE_PORTS.replace('127.0.0.1:0', `127.0.0.1:${taken.port}`));
    const { code, stderr } = await runAgent(['--config', file]);
    expect(code).toBe(1);
    expect(stderr).toContain(`${file}:5: receivers.otlp.protocols.grpc.endpoint: cannot listen on 127.0.0.1:${taken.port}`);
    expect(stderr).toContain('[OTLP_BIND]');
    expect(stderr).not.toContain('    at ');
  });

  it('fails on a wrong configuration before any port is bound', async () => {
    await using taken = await takenPort();
    // Were the port tried first, the message would be about it.
    const file = configFile(
      FREE_PORTS.replace('127.0.0.1:0', `127.0.0.1:${taken.port}`).replace('  debug:\n', '  debug: { verbsity: basic }\n'),
    );
    const { code, stdout, stderr } = await runAgent(['--config', file]);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain('exporters.debug.verbsity: unknown key "verbsity" ("basic"); did you mean "verbosity"?');
    expect(stderr).not.toContain('OTLP_BIND');
  });
});

describe('a bug', () => {
  it.each([
    ['an exception that nothing catches', 'setTimeout(() => { throw new Error("boom"); })'],
    ['a rejection that nothing handles', 'setTimeout(() => { Promise.reject(new Error("boom")); })'],
  ])('fails with exit code 70 and one line of JSON: %s', async (_title, code) => {
    // The preloaded module stands for the bug.
    const environment = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
    const { code: exit, stderr } = await new Program(['--config', configFile(FREE_PORTS)], environment).ended;
    expect(exit).toBe(70);
    const lines = stderr.trimEnd().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
      level: 'error',
      msg: 'crashed',
      code: 'OTLP_CRASH',
      error: 'boom',
      stack: expect.stringContaining('boom'),
    });
  });
});

describe('otlp-agent health-check', () => {
  it('asks the address of the configuration', async () => {
    await using taken = await takenPort();
    const { port } = taken;
    const file = configFile(FREE_PORTS.replace('health_check:\n    endpoint: 127.0.0.1:0', `health_check:\n    endpoint: 0.0.0.0:${port}`));
    const { code, stderr } = await runAgent(['health-check', '--config', file, '--timeout', '200ms']);
    expect(code).toBe(1);
    expect(stderr).toContain(`http://127.0.0.1:${port}/: no answer within 200 ms [OTLP_UNHEALTHY]`);
  });

  it('fails where the configuration has none', async () => {
    const file = configFile(FREE_PORTS.replace('  extensions: [health_check]\n', ''));
    expect(await runAgent(['health-check', '--config', file])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no health_check extension is listed'),
    });
  });
});

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import {
  describeReal,
  freePort,
  freePorts,
  JaegerQuery,
  liveProcesses,
  realComponent,
  realPath,
  runProgram,
  startJaeger,
  startOtelcol,
  startProcess,
  stopAll,
  validateOtelcol,
  waitFor,
} from './support/index.ts';

const node = process.execPath;

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('startProcess', () => {
  afterEach(stopAll);

  it('waits for a line, keeps the log in a file and stops by SIGTERM', async () => {
    const script =
      'process.on("SIGTERM", () => { console.log("bye"); process.exit(3); }); setTimeout(() => console.log("up"), 50); setInterval(() => {}, 1000)';
    const program = await startProcess({ bin: node, args: ['-e', script], ready: { log: /^up$/m } });
    expect(await program.stop()).toEqual({ code: 3, signal: null, killed: false });
    expect(readFileSync(program.logFile, 'utf8')).toBe('up\nbye\n');
    expect(liveProcesses()).toBe(0);
  });

  it('waits for an address and for a port', async () => {
    const port = await freePort();
    const script = `setTimeout(() => require("node:http").createServer((q, s) => s.end()).listen(${port}, "127.0.0.1"), 100)`;
    const byUrl = await startProcess({ bin: node, args: ['-e', script], ready: { url: `http://127.0.0.1:${port}/` } });
    await byUrl.stop();
    const byPort = await startProcess({ bin: node, args: ['-e', script], ready: { port } });
    expect((await byPort.stop()).signal).toBe('SIGTERM');
  });

  it('kills a program that ignores SIGTERM', async () => {
    const script = 'process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)';
    const program = await startProcess({ bin: node, args: ['-e', script], ready: { log: /up/ }, stopTimeoutMs: 100 });
    expect(await program.stop()).toEqual({ code: null, signal: 'SIGKILL', killed: true });
  });

  it.skipIf(!existsSync('/usr/bin/setpriv'))('leaves no program behind when the test process itself is killed', async () => {
    const child = 'console.log("up"); setInterval(() => {}, 1000)';
    const support = new URL('./support/process.ts', import.meta.url).href;
    const options = `{ bin: process.execPath, args: ['-e', ${JSON.stringify(child)}], ready: { log: /up/ } }`;
    const script = `const { startProcess } = await import('${support}'); console.log('pid=' + (await startProcess(${options})).pid);`;
    const parent = await startProcess({ bin: node, args: ['--input-type=module', '-e', script], ready: { log: /pid=\d+/ } });
    const pid = Number(parent.log().match(/pid=(\d+)/)?.[1]);
    expect(process.kill(pid, 0)).toBe(true);
    parent.signal('SIGKILL');
    await waitFor(() => !isAlive(pid), { what: `process ${pid} to end`, timeoutMs: 5_000 });
  });

  it('fails with the end of the log when the program ends before it is ready', async () => {
    const start = startProcess({ bin: node, args: ['-e', 'console.error("no such key: foo"); process.exit(1)'], ready: { log: /up/ } });
    await expect(start).rejects.toThrow(/ended \(code 1, signal null\) before it wrote \/up\/.*\n {2}no such key: foo/);
    expect(liveProcesses()).toBe(0);
  });

  it('fails when the program does not exist', async () => {
    await expect(startProcess({ bin: '/nowhere/program', ready: { log: /up/ } })).rejects.toThrow(/program/);
  });
});

describe('free ports', () => {
  it('are never handed out twice', async () => {
    const ports = Object.values(await freePorts('a', 'b', 'c', 'd', 'e'));
    expect(new Set(ports).size).toBe(5);
  });
});

describe('build --list', () => {
  it('names every program that the tests know, with its state', async () => {
    const { stdout } = await runProgram(new URL('./components/build', import.meta.url).pathname, ['--list']);
    for (const name of ['otelcol', 'prometheus', 'promtool', 'jaeger', 'kwok', 'opensearch']) expect(stdout).toContain(` ${name}@`);
  });

  it('agrees with realComponent', () => {
    const list = execFileSync(new URL('./components/build', import.meta.url).pathname, ['--list'], { encoding: 'utf8' });
    expect(/^otelcol +(built|outdated)/m.test(list)).toBe(realComponent('otelcol').missing === undefined);
  });
});

describeReal(['otelcol', 'jaeger', 'telemetrygen'], 'a Collector that exports to Jaeger', () => {
  it('delivers every span, read back through the query API', async () => {
    const port = await freePorts('jaegerOtlp', 'jaegerQuery', 'jaegerQueryGrpc', 'collector');
    await startJaeger({
      config: {
        service: {
          extensions: ['jaeger_storage', 'jaeger_query'],
          telemetry: { metrics: { level: 'none' } },
          pipelines: { traces: { receivers: ['otlp'], exporters: ['jaeger_storage_exporter'] } },
        },
        extensions: {
          jaeger_storage: { backends: { store: { memory: { max_traces: 10_000 } } } },
          jaeger_query: {
            storage: { traces: 'store' },
            http: { endpoint: `127.0.0.1:${port.jaegerQuery}` },
            grpc: { endpoint: `127.0.0.1:${port.jaegerQueryGrpc}` },
          },
        },
        receivers: { otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${port.jaegerOtlp}` } } } },
        exporters: { jaeger_storage_exporter: { trace_storage: 'store' } },
      },
    });
    await startOtelcol({
      config: {
        receivers: { otlp: { protocols: { http: { endpoint: '127.0.0.1:${env:PORT}' } } } },
        exporters: { otlp_grpc: { endpoint: `127.0.0.1:${port.jaegerOtlp}`, tls: { insecure: true } } },
        service: { telemetry: { metrics: { level: 'none' } }, pipelines: { traces: { receivers: ['otlp'], exporters: ['otlp_grpc'] } } },
      },
      env: { PORT: String(port.collector) },
    });
    const target = `127.0.0.1:${port.collector}`;
    const load = [
      'traces',
      '--otlp-http',
      '--otlp-insecure',
      '--otlp-endpoint',
      target,
      '--rate',
      '0',
      '--traces',
      '20',
      '--service',
      'checkout',
    ];
    expect((await runProgram(realPath('telemetrygen'), load)).code).toBe(0);
    const jaeger = new JaegerQuery(`http://127.0.0.1:${port.jaegerQuery}`);
    expect(await jaeger.waitForSpans('checkout', 40)).toBe(40);
    expect(await jaeger.services()).toContain('checkout');
  });

  it('fails validation with the words of the Collector', async () => {
    const result = await validateOtelcol({ config: { receivers: { otlp: { protocolz: {} } }, exporters: { nop: {} } } });
    expect(result.code).toBe(1);
    expect(result.stderr + result.stdout).toContain('protocolz');
  });
});

describe('waitFor', () => {
  it('fails with what it waited for and the last reason', async () => {
    const ask = (): never => {
      throw new Error('connection refused');
    };
    await expect(waitFor(ask, { what: 'the moon', timeoutMs: 20, intervalMs: 5 })).rejects.toThrow(
      'gave up after 20 ms waiting for the moon; the last try said: connection refused',
    );
  });
});

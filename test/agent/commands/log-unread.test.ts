import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { request } from '../kit/otlp.ts';
import { httpSink, type Sink } from '../kit/sink.ts';
import { configFile, MAIN } from '../support/program.ts';

/** One pipeline that delivers at its drain at the latest; a socket file says where it is when its log cannot. */
function config(socket: string, sink: Sink, pipelines = ['traces'], exporter = 'otlp_http'): string {
  return `receivers: { otlp: { protocols: { http: { transport: unix, endpoint: "${socket}" } } } }
exporters: { "${exporter}": { endpoint: "http://127.0.0.1:${sink.port}", sending_queue: { batch: { flush_timeout: 1h, min_size: 1000 } } } }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
${pipelines.map((id) => `    ${id}: { receivers: [otlp], exporters: ["${exporter}"] }`).join('\n')}
`;
}

/** An agent whose stdout is what `stdout` says. */
class Mute implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly #socket: string;
  stderr = '';

  constructor(stdout: 'pipe' | number, socket: string, text: string) {
    this.#socket = socket;
    this.child = spawn(process.execPath, [MAIN, '--config', configFile(text)], { stdio: ['ignore', stdout, 'pipe'] });
    this.child.stderr?.setEncoding('utf8').on('data', (more: string) => {
      this.stderr += more;
    });
    this.ended = new Promise((resolve) => this.child.on('exit', resolve));
  }

  post(body: Buffer): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length };
      const sent = httpRequest({ socketPath: this.#socket, method: 'POST', path: '/v1/traces', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  /** Resolves when it answers; fails where it has ended before. */
  async up(): Promise<void> {
    for (;;) {
      if (this.child.exitCode !== null) throw new Error(`it ended with code ${this.child.exitCode}: ${this.stderr.slice(0, 1000)}`);
      const status = await this.post(Buffer.alloc(0)).catch(() => undefined);
      if (status === 200) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

const socketFile = (): string => join(mkdtempSync(join(tmpdir(), 'otlp-agent-')), 'otlp.sock');

describe('an agent whose log cannot be written', () => {
  it('keeps what it has accepted when the reader of its log goes away', async () => {
    const sink = await httpSink();
    const socket = socketFile();
    await using agent = new Mute('pipe', socket, config(socket, sink));
    await agent.up();
    (agent.child.stdout as NonNullable<ChildProcess['stdout']>).destroy();
    expect(await agent.post(request('traces', 3))).toBe(200);
    // Says several lines, each of which finds nobody.
    agent.child.kill('SIGTERM');
    expect(await agent.ended).toBe(0);
    expect(sink.delivered('traces')).toBe(3);
    await sink.close();
  });

  it('keeps what it has accepted when there is no room for its log', async () => {
    const sink = await httpSink();
    const socket = socketFile();
    const full = openSync('/dev/full', 'w');
    await using agent = new Mute(full, socket, config(socket, sink));
    closeSync(full);
    await agent.up();
    expect(await agent.post(request('traces', 3))).toBe(200);
    agent.child.kill('SIGTERM');
    expect(await agent.ended).toBe(0);
    expect(sink.delivered('traces')).toBe(3);
    await sink.close();
  });

  it('drains and ends when nobody reads the log', async () => {
    const sink = await httpSink();
    const socket = socketFile();
    // Lines that no pipe takes.
    const pipelines = Array.from({ length: 500 }, (_, i) => `traces/${i}`);
    const exporter = `otlp_http/${'long'.repeat(200)}`;
    await using agent = new Mute('pipe', socket, config(socket, sink, pipelines, exporter));
    (agent.child.stdout as NonNullable<ChildProcess['stdout']>).pause();
    await agent.up();
    expect(await agent.post(request('traces', 3))).toBe(200);
    agent.child.kill('SIGTERM');
    expect(await agent.ended).toBe(0);
    expect(sink.delivered('traces')).toBe(3 * pipelines.length);
    await sink.close();
  });
});

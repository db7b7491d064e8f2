import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { Http2Codec } from '../../../../agent/config/settings.ts';
import { configFile } from '../../support/program.ts';

const MAIN = fileURLToPath(new URL('../../../../agent/main.ts', import.meta.url));

/** The agent in a process of its own, whose memory is nobody else's. Answers to what is asked of it over /metrics. */
export class AgentProcess implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #metrics: string;

  private constructor(child: ChildProcess, listening: Readonly<Record<string, string>>) {
    this.#child = child;
    this.port = Number(listening['otlp/grpc']?.split(':').at(-1));
    this.#metrics = `http://${listening.metrics}/metrics`;
  }

  static async start(codec: Http2Codec): Promise<AgentProcess> {
    const keepalive = { enforcement_policy: { min_time: '1ns', permit_without_stream: true } };
    const config = configFile(
      stringify({
        receivers: { otlp: { protocols: { grpc: { endpoint: '127.0.0.1:0', http2_codec: codec, keepalive } } } },
        exporters: { debug: {} },
        service: {
          telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port: 0 } } } }] } },
          pipelines: { traces: { receivers: ['otlp'], exporters: ['debug'] } },
        },
      }),
    );
    // A heap that is collected often: what is measured is what is held, not what V8 has not looked at yet.
    const child = spawn(process.execPath, ['--max-semi-space-size=4', MAIN, '--config', config], { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    return new Promise((resolve, reject) => {
      child.once('exit', () => reject(new Error(`the agent did not start:\n${text}`)));
      child.stderr.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      child.stdout.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        const started = text
          .split('\n')
          .slice(0, -1)
          .find((line) => line.includes('"msg":"started"'));
        if (started !== undefined)
          resolve(new AgentProcess(child, (JSON.parse(started) as { listening: Record<string, string> }).listening));
      });
    });
  }

  /** MiB of RAM that it has now, by the kernel. */
  rssMib(): number {
    return this.#status('VmRSS');
  }

  /** MiB that it had at most. */
  peakMib(): number {
    return this.#status('VmHWM');
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** One series of its metrics, summed over its labels that match. */
  async metric(name: string, label = /./): Promise<number> {
    const text = await (await fetch(this.#metrics)).text();
    let sum = 0;
    for (const line of text.split('\n')) {
      if ((line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && label.test(line))
        sum += Number(line.slice(line.lastIndexOf(' ') + 1));
    }
    return sum;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    if (!this.alive) return;
    this.#child.kill('SIGTERM');
    await ended;
  }

  #status(field: string): number {
    const text = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(text)?.[1] ?? Number.NaN) / 1024;
  }
}

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { stringify } from 'yaml';
import type { Books } from '../../../agent/telemetry/books.ts';
import { freePorts, newFolder, type RunningProcess, startProcess, waitFor } from '../support/index.ts';
import { configuration, type Ports, type Shape } from './configuration.ts';

const BUNDLE = fileURLToPath(new URL('../../../agent/build/otlp-agent.mjs', import.meta.url));

/** Nothing here is judged by its time: this only ends what hangs. */
export const LONG_MS = 90_000;

/** What the agent says at its end; all are spans. */
export type Drained = Books['total'];

/** The bundled program as a user starts it. */
export class AgentUnderLoad {
  readonly #process: RunningProcess;
  readonly #file: string;
  readonly #metricsUrl: string;
  readonly ports: Ports;
  #reloads = 0;

  private constructor(process: RunningProcess, file: string, ports: Ports) {
    const { listening } = JSON.parse(/\{.*"msg":"started".*\}/u.exec(process.log())?.[0] ?? '') as { listening: Record<string, string> };
    this.#process = process;
    this.#file = file;
    this.#metricsUrl = `http://${listening.metrics}/metrics`;
    this.ports = ports;
  }

  static async start(shape: Shape): Promise<AgentUnderLoad> {
    const ports = await freePorts('grpc', 'http');
    const file = join(newFolder('full-speed'), 'agent.yaml');
    writeFileSync(file, stringify(configuration(shape, ports)));
    const process = await startProcess({
      name: 'otlp-agent',
      bin: globalThis.process.execPath,
      args: [BUNDLE, '--config', file],
      ready: { log: /"msg":"started".*\n/u },
      stopTimeoutMs: LONG_MS,
    });
    return new AgentUnderLoad(process, file, ports);
  }

  /** The sum of all series of the metric, or of those that have the label. */
  async metric(name: string, label = ''): Promise<number> {
    const text = await (await fetch(this.#metricsUrl)).text();
    const lines = text.split('\n').filter((line) => /^\w+/u.exec(line)?.[0] === name && line.includes(label));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  /** Looks at the metric until it is as wanted. */
  async until(name: string, wanted: (sum: number) => boolean, label = ''): Promise<void> {
    await waitFor(async () => wanted(await this.metric(name, label)), {
      what: `${name} ${label}`,
      timeoutMs: LONG_MS,
      intervalMs: 20,
      abort: () => this.#ended,
    });
  }

  /** What the memory limiter counts has been given back, to the byte: nothing is read, queued or sent any more. */
  async untilNothingIsHeld(): Promise<void> {
    await this.until('otelcol_exporter_queue_size', (size) => size === 0);
    await this.until('otlp_agent_held_bytes', (bytes) => bytes === 0);
  }

  /** MiB at most since its start, by the kernel's count. */
  get peakRssMib(): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+)/u.exec(status)?.[1]) / 1024;
  }

  /** Other settings, on the same ports. */
  async reload(shape: Shape): Promise<void> {
    writeFileSync(this.#file, stringify(configuration(shape, this.ports)));
    this.#process.signal('SIGHUP');
    this.#reloads += 1;
    await this.#process.waitForLog(new RegExp(`(?:"msg":"configuration reloaded"[^]*?){${this.#reloads}}\n`, 'u'), LONG_MS);
  }

  terminate(): void {
    this.#process.signal('SIGTERM');
  }

  /** Where a test has failed. */
  async kill(): Promise<void> {
    this.#process.signal('SIGKILL');
    await this.#process.exited;
  }

  async draining(): Promise<void> {
    await this.#process.waitForLog(/"msg":"draining".*\n/u, LONG_MS);
  }

  lines(msg: string): Readonly<Record<string, unknown>>[] {
    const lines = this.#process.log().split('\n');
    return lines.filter((line) => line.includes(`"msg":"${msg}"`)).map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Its own end, which is exit code 0, and its last books. */
  async end(): Promise<Drained> {
    const { code, signal } = await this.#process.exited;
    expect({ code, signal }, this.#process.log().slice(-3000)).toEqual({ code: 0, signal: null });
    const [drained] = this.lines('drained');
    if (drained === undefined) throw new Error(`no books at the end:\n${this.#process.log().slice(-3000)}`);
    const books = drained as unknown as Drained;
    expect(books.received).toBe(books.accepted + books.refused + books.failed);
    return books;
  }

  get #ended(): Error | undefined {
    return this.lines('drained').length > 0 ? new Error('the agent has ended') : undefined;
  }
}

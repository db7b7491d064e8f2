import { realPath } from './components.ts';
import { writeConfig } from './config-file.ts';
import { freePort } from './ports.ts';
import { newFolder, type ProgramResult, type RunningProcess, runProgram, startProcess } from './process.ts';
import { waitFor } from './wait.ts';

export interface PrometheusOptions {
  /** prometheus.yml, parsed or as text. */
  readonly config: object | string;
  /** Other files by their path below the folder of prometheus.yml, such as `rules/otlp-stack.yaml`. @default none */
  readonly files?: { readonly [path: string]: object | string };
  /** More arguments, for example the printed `--web.enable-otlp-receiver`. @default none */
  readonly args?: readonly string[];
  /** @default none */
  readonly env?: Readonly<Record<string, string>>;
  /** @default a free one */
  readonly port?: number;
}

export interface Sample {
  readonly metric: { readonly [label: string]: string };
  readonly value: number;
}

export interface Target {
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly health: 'up' | 'down' | 'unknown';
  readonly lastError: string;
  readonly labels: { readonly [label: string]: string };
  readonly discoveredLabels: { readonly [label: string]: string };
}

export interface FiringAlert {
  readonly labels: { readonly [label: string]: string };
  readonly annotations: { readonly [name: string]: string };
  readonly state: 'pending' | 'firing' | 'inactive';
}

/** What Prometheus knows of one metric's type, as the scraped program told it. */
export interface MetricMetadata {
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

/** A real Prometheus and its HTTP API. */
export class PrometheusServer {
  readonly process: RunningProcess;
  readonly port: number;
  readonly url: string;

  constructor(process: RunningProcess, port: number) {
    this.process = process;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** An instant query. A query that Prometheus refuses is an error with its words; no series is an empty list. */
  async query(promql: string): Promise<Sample[]> {
    const data = (await this.api(`/api/v1/query?${new URLSearchParams({ query: promql })}`)) as {
      resultType: string;
      result: { metric: Sample['metric']; value: [number, string] }[] | [number, string];
    };
    if (data.resultType === 'scalar') return [{ metric: {}, value: Number((data.result as [number, string])[1]) }];
    return (data.result as { metric: Sample['metric']; value: [number, string] }[]).map(({ metric, value }) => ({
      metric,
      value: Number(value[1]),
    }));
  }

  /** Waits until the query has a result (that satisfies `accept`) and returns it. */
  async waitForQuery(promql: string, accept: (samples: Sample[]) => boolean = () => true, timeoutMs = 120_000): Promise<Sample[]> {
    let seen: Sample[] = [];
    const ask = async (): Promise<Sample[] | false> => {
      seen = await this.query(promql);
      return seen.length > 0 && accept(seen) && seen;
    };
    return await waitFor(ask, { what: `a result of ${promql}`, timeoutMs, intervalMs: 200 }).catch((error: Error) => {
      throw new Error(`${error.message} (last result: ${JSON.stringify(seen).slice(0, 500)})`);
    });
  }

  async targets(): Promise<Target[]> {
    const data = (await this.api('/api/v1/targets?state=active')) as { activeTargets: Target[] };
    return data.activeTargets;
  }

  async rules(): Promise<unknown[]> {
    return ((await this.api('/api/v1/rules')) as { groups: unknown[] }).groups;
  }

  async alerts(): Promise<FiringAlert[]> {
    return ((await this.api('/api/v1/alerts')) as { alerts: FiringAlert[] }).alerts;
  }

  /** Every metric name that has a series now. */
  async metricNames(): Promise<string[]> {
    return (await this.api('/api/v1/label/__name__/values')) as string[];
  }

  async metadata(): Promise<{ [metric: string]: MetricMetadata[] }> {
    return (await this.api('/api/v1/metadata')) as { [metric: string]: MetricMetadata[] };
  }

  async stop(): Promise<void> {
    await this.process.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  private async api(path: string): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(60_000) });
    const body = (await response.json()) as { status: string; data: unknown; error?: string };
    if (body.status !== 'success') throw new Error(`Prometheus answered ${response.status} to ${path}: ${body.error}`);
    return body.data;
  }
}

/** Starts a real Prometheus on a free port of 127.0.0.1 with the configuration, its data in a temporary folder. */
export async function startPrometheus(options: PrometheusOptions): Promise<PrometheusServer> {
  const port = options.port ?? (await freePort());
  const folder = newFolder('prometheus');
  for (const [path, content] of Object.entries(options.files ?? {})) writeConfig(folder, path, content);
  const process = await startProcess({
    bin: realPath('prometheus'),
    args: [
      `--config.file=${writeConfig(folder, 'prometheus.yml', options.config)}`,
      '--storage.tsdb.path=data',
      `--web.listen-address=127.0.0.1:${port}`,
      ...(options.args ?? []),
    ],
    env: options.env,
    cwd: folder,
    ready: { url: `http://127.0.0.1:${port}/-/ready` },
  });
  return new PrometheusServer(process, port);
}

/** It plays hours of scenarios through, which has taken longer than a minute on a busy machine. */
export const PROMTOOL_MS = 600_000;

/** Runs promtool in a folder that holds the files: `promtool({ 'rules.yaml': {...} }, 'check', 'rules', 'rules.yaml')`. */
export async function promtool(files: { readonly [path: string]: object | string }, ...args: string[]): Promise<ProgramResult> {
  const folder = newFolder('promtool');
  for (const [path, content] of Object.entries(files)) writeConfig(folder, path, content);
  return await runProgram(realPath('promtool'), args, { cwd: folder, timeoutMs: PROMTOOL_MS });
}

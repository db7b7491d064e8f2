import { realPath } from './components.ts';
import { writeConfig } from './config-file.ts';
import { EVERYTHING_IS_READY } from './otelcol.ts';
import { newFolder, type RunningProcess, startProcess } from './process.ts';
import { waitFor } from './wait.ts';

export interface JaegerOptions {
  /** Jaeger v2's configuration, which is a Collector configuration with the jaeger_* extensions; parsed or as text. */
  readonly config: object | string;
  /** @default none */
  readonly env?: Readonly<Record<string, string>>;
  /** @default 'jaeger' */
  readonly name?: string;
}

/** Starts a real Jaeger v2 and waits until all of its components run. */
export async function startJaeger(options: JaegerOptions): Promise<RunningProcess> {
  const name = options.name ?? 'jaeger';
  const folder = newFolder(name);
  const file = writeConfig(folder, 'jaeger.yaml', options.config);
  return await startProcess({
    bin: realPath('jaeger'),
    args: [`--config=${file}`],
    env: options.env,
    name,
    cwd: folder,
    ready: { log: EVERYTHING_IS_READY },
  });
}

/** A span as Jaeger's query API returns it (/api/traces), as far as tests look at it. */
export interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly references: readonly { readonly refType: string; readonly spanID: string }[];
  readonly tags: readonly { readonly key: string; readonly type: string; readonly value: unknown }[];
  readonly processID: string;
}

export interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: { readonly [id: string]: { readonly serviceName: string; readonly tags: JaegerSpan['tags'] } };
}

/** Reads traces back through the query API, as the UI does. `url` is the address of jaeger_query's HTTP endpoint. */
export class JaegerQuery {
  private readonly url: string;

  constructor(url: string) {
    this.url = url.replace(/\/$/, '');
  }

  async services(): Promise<string[]> {
    return ((await this.get('/api/services')) as string[] | null) ?? [];
  }

  /** @param limit at most this many traces; with memory storage it must be below `max_traces`, or Jaeger answers with an error */
  async traces(service: string, limit = 1_500): Promise<JaegerTrace[]> {
    const query = new URLSearchParams({ service, limit: String(limit), lookback: '1h' });
    return ((await this.get(`/api/traces?${query}`)) as JaegerTrace[] | null) ?? [];
  }

  async trace(traceId: string): Promise<JaegerTrace | undefined> {
    return ((await this.get(`/api/traces/${traceId}`)) as JaegerTrace[] | null)?.[0];
  }

  async countSpans(service: string, limit?: number): Promise<number> {
    return (await this.traces(service, limit)).reduce((sum, trace) => sum + trace.spans.length, 0);
  }

  /** Waits until the service has at least that many spans and returns how many it has then. */
  async waitForSpans(service: string, atLeast: number, timeoutMs = 120_000): Promise<number> {
    let seen = 0;
    return await waitFor(
      async () => {
        seen = await this.countSpans(service);
        return seen >= atLeast && seen;
      },
      { what: `${atLeast} spans of ${service} in Jaeger`, timeoutMs, intervalMs: 200 },
    ).catch((error: Error) => {
      throw new Error(`${error.message} (it has ${seen})`);
    });
  }

  private async get(path: string): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(60_000) });
    const body = await response.text();
    if (response.status === 404) return null;
    if (!response.ok) throw new Error(`Jaeger answered ${response.status} to ${path}: ${body.slice(0, 300)}`);
    return (JSON.parse(body) as { data: unknown }).data;
  }
}

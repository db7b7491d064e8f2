import { GrpcClient, post } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { configFile, Program } from '../support/program.ts';

export interface Shape {
  readonly backend: number;
  readonly workers?: number;
  readonly environment?: string;
  readonly limitMib?: number;
  readonly queueSize?: number;
  /** Senders wait where the queue is full. */
  readonly blocks?: boolean;
  readonly drainDeadline?: string;
  readonly httpPort?: number;
}

/** The real program with two workers, on free ports, with one pipeline. */
export function yaml({
  backend,
  workers = 2,
  environment = 'none',
  limitMib = 2000,
  queueSize = 1000,
  blocks = true,
  drainDeadline = '60s',
  httpPort = 0,
}: Shape): string {
  return `receivers:
  otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" }, http: { endpoint: "127.0.0.1:${httpPort}" } } }
processors:
  memory_limiter: { check_interval: 1s, limit_mib: ${limitMib} }
  resource: { attributes: [{ key: deployment.environment, value: ${environment}, action: upsert }] }
exporters:
  otlp_grpc:
    { endpoint: "127.0.0.1:${backend}", compression: none, timeout: 60s, tls: { insecure: true }, sending_queue: { queue_size: ${queueSize}, block_on_overflow: ${blocks} }, retry_on_failure: { initial_interval: 20ms, max_interval: 50ms } }
extensions: { health_check: { endpoint: "127.0.0.1:0" } }
service:
  extensions: [health_check]
  telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: 127.0.0.1, port: 0 } } } }] } }
  pipelines: { traces: { receivers: [otlp], processors: [memory_limiter, resource], exporters: [otlp_grpc] } }
agent: { workers: ${workers}, drain_deadline: ${drainDeadline}, reload_interval: 0s }
`;
}

export interface Started {
  readonly program: Program;
  readonly file: string;
  readonly grpcPort: number;
  readonly httpPort: number;
  readonly metrics: () => Promise<Metrics>;
  readonly health: (path: string) => Promise<Response>;
}

export async function start(shape: Shape, environment: Readonly<Record<string, string>> = {}): Promise<Started & AsyncDisposable> {
  const file = configFile(yaml(shape));
  const program = new Program(['--config', file], environment);
  const addresses = await program.listening();
  const portOf = (name: string): number => Number((addresses[name] ?? '').split(':').at(-1));
  return {
    program,
    file,
    grpcPort: portOf('otlp/grpc'),
    httpPort: portOf('otlp/http'),
    metrics: async () => new Metrics(await (await fetch(`http://${addresses.metrics}/metrics`)).text()),
    health: (path) => fetch(`http://${addresses.health_check}${path}`),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** The text of /metrics. */
export class Metrics {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The sum of all series whose line begins like this. */
  sum(begin: string): number {
    return this.all(begin).reduce((sum, value) => sum + value, 0);
  }

  all(begin: string): number[] {
    const lines = this.#text.split('\n').filter((line) => line.startsWith(begin));
    return lines.map((line) => Number(line.slice(line.lastIndexOf(' '))));
  }
}

/** Clients with a connection each. */
export function clients(port: number, count: number): GrpcClient[] {
  return Array.from({ length: count }, () => new GrpcClient(port, { 'grpc.use_local_subchannel_pool': 1 }));
}

export interface Load {
  readonly sent: number;
  readonly refused: readonly string[];
}

/** No test expects so many. */
const MOST_REFUSED = 10_000;

/** Each client sends one request after the other, until told to stop. */
export async function sendAll(all: readonly GrpcClient[], items: number, stop: () => boolean): Promise<Load> {
  const refused: string[] = [];
  let sent = 0;
  const run = async (client: GrpcClient, index: number): Promise<void> => {
    for (let i = 0; !stop(); i += 1) {
      try {
        await client.export('traces', request('traces', items, `client-${index}-${i}`));
        sent += items;
      } catch (error) {
        refused.push(String(error));
        // A client that was closed, as its test has failed, refuses at once: the loop would let nothing else run, for ever.
        if (refused.length >= MOST_REFUSED) return;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
  };
  await Promise.all(all.map(run));
  return { sent, refused };
}

/** One request after the other, each over a connection of its own: a listener that goes away for a moment resets some. */
export async function postAll(port: number, stop: () => boolean): Promise<Load> {
  const refused: string[] = [];
  let sent = 0;
  for (let i = 0; !stop(); i += 1) {
    try {
      const { status } = await post(port, '/v1/traces', request('traces', 1, `post-${i}`), { connection: 'close' });
      if (status === 200) sent += 1;
      else refused.push(String(status));
    } catch (error) {
      refused.push(String(error));
      if (refused.length >= MOST_REFUSED) break;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  return { sent, refused };
}

import { stringify } from 'yaml';
import { CLIENT_CODEC, CODEC, HTTP1_CLIENT, HTTP1_CODEC } from '../../kit/settings.ts';
import { configFile, Program } from '../../support/program.ts';

/** A configuration in the grammar that the agent and the Collector share. */
export interface Setup {
  /** Keys of receivers.otlp.protocols.grpc and .http. */
  readonly grpc?: Readonly<Record<string, unknown>>;
  readonly http?: Readonly<Record<string, unknown>>;
  /** All of them in every pipeline. */
  readonly exporters: Readonly<Record<string, object>>;
  /** @default traces, metrics, logs */
  readonly signals?: readonly string[];
  /** Leaves this endpoint of the receiver to the program's default. */
  readonly defaultPort?: 'grpc' | 'http';
  /** The section `agent:` of ours; other programs have no such thing. */
  readonly agent?: Readonly<Record<string, unknown>>;
}

/** A program under test: the agent, or the Collector beside it. */
export interface Target {
  readonly name: 'agent' | 'collector';
  start(setup: Setup): Promise<Running>;
}

export interface Running extends AsyncDisposable {
  readonly grpcPort: number;
  readonly httpPort: number;
  /** Sum over the series of this name on /metrics. */
  metric(name: string): Promise<number>;
  /** What it has written. */
  log(): string;
  /** SIGTERM; resolves when the process has ended. */
  terminate(): Promise<void>;
}

/** What a test has started; ended in reverse order when the test is over. */
export class Keep implements AsyncDisposable {
  readonly #all: AsyncDisposable[] = [];

  add<T extends AsyncDisposable>(one: T): T {
    this.#all.push(one);
    return one;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#all.splice(0).reverse()) await one[Symbol.asyncDispose]();
  }
}

/** The test of one statement. It fails by throwing. */
export type Body = (target: Target, keep: Keep) => Promise<void>;
export type Bodies = Readonly<Record<number, Body>>;

export interface Ports {
  readonly grpc: number;
  readonly http: number;
  readonly metrics: number;
}

/** The configuration file of a setup. */
export function configuration(setup: Setup, ports: Ports): string {
  const endpoint = (protocol: 'grpc' | 'http'): object =>
    setup.defaultPort === protocol ? {} : { endpoint: `127.0.0.1:${ports[protocol]}` };
  const exporters = Object.keys(setup.exporters);
  const signals = setup.signals ?? ['traces', 'metrics', 'logs'];
  return stringify({
    receivers: {
      otlp: { protocols: { grpc: { ...endpoint('grpc'), ...setup.grpc }, http: { ...endpoint('http'), ...setup.http } } },
    },
    exporters: setup.exporters,
    service: {
      telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port: ports.metrics } } } }] } },
      pipelines: Object.fromEntries(signals.map((signal) => [signal, { receivers: ['otlp'], exporters }])),
    },
  });
}

/** Sum over the series of a metric in Prometheus' text. */
export function sumOf(exposition: string, name: string): number {
  let sum = 0;
  for (const line of exposition.split('\n')) {
    if (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) sum += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return sum;
}

export async function scrape(port: number, name: string): Promise<number> {
  return sumOf(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text(), name);
}

/** The codecs of this run, which are keys of ours. */
function withCodecs(setup: Setup): Setup {
  const codecOf = (id: string): object => {
    if (/^otlp(_grpc)?(\/|$)/u.test(id)) return { http2_codec: CLIENT_CODEC };
    return /^otlp_?http(\/|$)/u.test(id) ? { http1_codec: HTTP1_CLIENT } : {};
  };
  return {
    ...setup,
    grpc: { http2_codec: CODEC, ...setup.grpc },
    http: { http1_codec: HTTP1_CODEC, ...setup.http },
    exporters: Object.fromEntries(Object.entries(setup.exporters).map(([id, keys]) => [id, { ...codecOf(id), ...keys }])),
  };
}

const portOf = (address: string | undefined): number => Number(address?.slice(address.lastIndexOf(':') + 1));

/** `node agent/main.ts --config FILE`, on free ports. */
export const AGENT: Target = {
  name: 'agent',
  async start(setup) {
    const own = setup.agent === undefined ? '' : stringify({ agent: setup.agent });
    const file = configFile(configuration(withCodecs(setup), { grpc: 0, http: 0, metrics: 0 }) + own);
    const program = new Program(['--config', file]);
    const text = (): string => program.output();
    try {
      const at = await program.listening();
      return {
        grpcPort: portOf(at['otlp/grpc']),
        httpPort: portOf(at['otlp/http']),
        metric: (name) => scrape(portOf(at.metrics), name),
        log: text,
        terminate: async () => {
          program.signal('SIGTERM');
          await program.ended;
        },
        [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
      };
    } catch (error) {
      await program[Symbol.asyncDispose]();
      throw error;
    }
  },
};

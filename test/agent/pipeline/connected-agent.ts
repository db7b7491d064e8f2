import { type Books, createAgent } from '../../../agent/index.ts';
import { finish, GrpcClient, type LogLine, type Running, recordingLog } from '../kit/agent.ts';
import { loadYaml } from '../support/config.ts';

/** Pipelines by id, as they stand in a configuration. */
export type Pipelines = Readonly<
  Record<string, { readonly receivers: readonly string[]; readonly processors?: readonly string[]; readonly exporters: readonly string[] }>
>;

export interface ConnectedShape {
  /** otlp_grpc exporters by the part of their id behind the slash. */
  readonly exporters: Readonly<Record<string, { readonly port: number; readonly queue?: object; readonly retry?: object }>>;
  readonly connectors?: object;
  readonly processors?: object;
  readonly pipelines: Pipelines;
  /** More than one `otlp`, by id. */
  readonly receivers?: readonly string[];
}

/** A whole configuration; JSON is YAML. */
export function configOf({ exporters, connectors = {}, processors = {}, pipelines, receivers = ['otlp'] }: ConnectedShape): string {
  const endpoint = '127.0.0.1:0';
  return JSON.stringify({
    receivers: Object.fromEntries(receivers.map((id) => [id, { protocols: { grpc: { endpoint }, http: { endpoint } } }])),
    processors,
    connectors,
    exporters: Object.fromEntries(
      Object.entries(exporters).map(([name, { port, queue = {}, retry = {} }]) => [
        `otlp_grpc/${name}`,
        {
          endpoint: `127.0.0.1:${port}`,
          compression: 'none',
          tls: { insecure: true },
          sending_queue: queue,
          retry_on_failure: { initial_interval: '20ms', max_interval: '50ms', ...retry },
        },
      ]),
    ),
    extensions: { health_check: { endpoint } },
    service: {
      extensions: ['health_check'],
      telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port: 0 } } } }] } },
      pipelines,
    },
  });
}

export interface Connected extends Running {
  readonly port: (name: string) => number;
  readonly client: GrpcClient;
}

/** An agent of a configuration, with a client of its first receiver. */
export async function connectedAgent(shape: ConnectedShape): Promise<Connected> {
  const lines: LogLine[] = [];
  const agent = await createAgent(loadYaml(configOf(shape)).settings, { log: recordingLog(lines) });
  await agent.start();
  const port = (name: string): number => {
    const address = agent.addresses[name];
    if (address?.kind !== 'tcp') throw new Error(`${name} is not bound to a TCP port`);
    return address.port;
  };
  const first = shape.receivers?.[0] ?? 'otlp';
  const grpcPort = port(`${first}/grpc`);
  return {
    agent,
    lines,
    port,
    grpcPort,
    httpPort: port(`${first}/http`),
    healthPort: port('health_check'),
    metricsPort: port('metrics'),
    client: new GrpcClient(grpcPort),
  };
}

/**
 * Drains, and gives the books, which balance. The clients hang up before: a goodbye that crosses theirs is a second of waiting, which no
 * test is about; a turn of the timers gives them the time.
 */
export async function end(running: Connected, ...others: readonly GrpcClient[]): Promise<Books> {
  for (const client of [running.client, ...others]) client.close();
  await new Promise((resolve) => setTimeout(resolve, 1));
  return await finish(running);
}

import { realPath } from './components.ts';
import { freePorts } from './ports.ts';
import { type RunningProcess, startProcess } from './process.ts';

export interface KubeStateMetricsOptions {
  /** Path of the kubeconfig, for example that of the ServiceAccount the stack prints for it. */
  readonly kubeconfig: string;
  /** The printed arguments, ports and addresses apart. @default none */
  readonly args?: readonly string[];
}

export interface KubeStateMetricsServer extends AsyncDisposable {
  readonly process: RunningProcess;
  readonly port: number;
  readonly telemetryPort: number;
  /** Address of the metrics of the cluster's objects. */
  readonly url: string;
  /** Address of the metrics of the program itself. */
  readonly telemetryUrl: string;
}

/** Starts a real kube-state-metrics against an API server. */
export async function startKubeStateMetrics(options: KubeStateMetricsOptions): Promise<KubeStateMetricsServer> {
  const port = await freePorts('main', 'telemetry');
  const process = await startProcess({
    bin: realPath('kube-state-metrics'),
    args: [
      `--kubeconfig=${options.kubeconfig}`,
      '--host=127.0.0.1',
      `--port=${port.main}`,
      '--telemetry-host=127.0.0.1',
      `--telemetry-port=${port.telemetry}`,
      ...(options.args ?? []),
    ],
    ready: { url: `http://127.0.0.1:${port.main}/healthz` },
  });
  return {
    process,
    port: port.main,
    telemetryPort: port.telemetry,
    url: `http://127.0.0.1:${port.main}/metrics`,
    telemetryUrl: `http://127.0.0.1:${port.telemetry}/metrics`,
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

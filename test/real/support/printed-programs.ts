/**
 * The programs of the reference stack, each started with the configuration that was printed for it, changed only by
 * test/real/overrides.ts.
 */
import { fileURLToPath } from 'node:url';
import type { PrintedStack } from '../../support/printed-stack.ts';
import { applyOverrides, type Change } from '../overrides.ts';
import { writeConfig } from './config-file.ts';
import { startJaeger } from './jaeger.ts';
import { startOtelcol } from './otelcol.ts';
import { freePorts } from './ports.ts';
import { newFolder, type RunningProcess, startProcess } from './process.ts';

export const POD_IP = '127.0.0.1';

/** What the downward API says of the service's pod; a real pod of the API server may take its place. */
export interface PodFields {
  readonly [fieldPath: string]: string;
}

export const POD: PodFields = {
  'metadata.name': 'otlp-service-7d9f-x2x',
  'metadata.namespace': 'observability',
  'spec.nodeName': 'node-1',
  'status.podIP': POD_IP,
};

const PORT_NAMES = [
  'service',
  'agentGrpc',
  'agentHttp',
  'agentHealth',
  'agentMetrics',
  'gatewayGrpc',
  'gatewayHttp',
  'gatewayHealth',
  'gatewayMetrics',
  'spanMetrics',
  'jaegerGrpc',
  'jaegerHttp',
  'jaegerHealth',
  'jaegerMetrics',
  'query',
  'queryGrpc',
  'prometheus',
  'alertmanager',
] as const;
export type PrintedPorts = Record<(typeof PORT_NAMES)[number], number>;

const ON_POD = '${env:MY_POD_IP}';
const listen = (from: string, port: number): Change => ({ id: 'listen-address', from, to: `${POD_IP}:${port}` });
const peer = (from: string, port: number): Change => ({ id: 'peer-address', from, to: `${POD_IP}:${port}` });
const at = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** One machine's worth of the stack. */
export class PrintedPrograms {
  readonly stack: PrintedStack;
  readonly ports: PrintedPorts;
  private readonly pod: PodFields;

  private constructor(stack: PrintedStack, ports: PrintedPorts, pod: PodFields) {
    this.stack = stack;
    this.ports = ports;
    this.pod = { ...pod, 'status.podIP': POD_IP };
  }

  static async of(stack: PrintedStack, pod: PodFields = POD): Promise<PrintedPrograms> {
    return new PrintedPrograms(stack, await freePorts(...PORT_NAMES), pod);
  }

  /** @param storage further overrides, for a storage that is not in memory */
  async startJaeger(storage: readonly Change[] = [], secrets: Record<string, string> = {}): Promise<RunningProcess> {
    const { stack, ports } = this;
    const config = applyOverrides(stack.config('jaeger-config', 'config.yaml'), [
      listen(`${ON_POD}:4317`, ports.jaegerGrpc),
      listen(`${ON_POD}:4318`, ports.jaegerHttp),
      listen(`${ON_POD}:16686`, ports.query),
      listen(`${ON_POD}:16685`, ports.queryGrpc),
      listen(`${ON_POD}:13133`, ports.jaegerHealth),
      listen(`${ON_POD}:8888`, ports.jaegerMetrics),
      ...storage,
    ]);
    return await startJaeger({ config, env: stack.environment(stack.container('Deployment', 'jaeger', 'jaeger'), this.pod, secrets) });
  }

  /** @param kubeconfig of the API server that k8s_attributes asks */
  async startGateway(kubeconfig: string, more: readonly Change[] = []): Promise<RunningProcess> {
    const { stack, ports } = this;
    const config = applyOverrides(stack.config('otel-collector-config', 'gateway.yaml'), [
      listen(`${ON_POD}:4317`, ports.gatewayGrpc),
      listen(`${ON_POD}:4318`, ports.gatewayHttp),
      listen(`${ON_POD}:13133`, ports.gatewayHealth),
      listen(`${ON_POD}:8888`, ports.gatewayMetrics),
      listen(`${ON_POD}:8889`, ports.spanMetrics),
      peer('jaeger.observability.svc.cluster.local:4317', ports.jaegerGrpc),
      peer('prometheus.observability.svc.cluster.local:9090', ports.prometheus),
      { id: 'k8s-attributes-auth' },
      { id: 'exporter-without-binary', exporter: 'elasticsearch' },
      ...more,
    ]);
    const container = stack.container('Deployment', 'otel-collector', 'otel-collector');
    const env = { ...stack.environment(container, this.pod, { 'elasticsearch-users/gateway': 'unused' }), KUBECONFIG: kubeconfig };
    return await startOtelcol({ config, env });
  }

  async startAgent(): Promise<RunningProcess> {
    const { stack, ports } = this;
    const config = applyOverrides(stack.config('otlp-service-agent', 'agent.yaml'), [
      listen('localhost:4317', ports.agentGrpc),
      listen('localhost:4318', ports.agentHttp),
      listen(`${ON_POD}:13133`, ports.agentHealth),
      listen(`${ON_POD}:8888`, ports.agentMetrics),
      peer('otel-collector.observability.svc.cluster.local:4317', ports.gatewayGrpc),
    ]);
    const folder = newFolder('agent');
    return await startProcess({
      bin: process.execPath,
      args: [at('agent/main.ts'), `--config=${writeConfig(folder, 'agent.yaml', config)}`],
      env: stack.environment(stack.container('Deployment', 'otlp-service', 'otlp-agent'), this.pod),
      name: 'agent',
      cwd: folder,
      ready: { url: `http://${POD_IP}:${ports.agentHealth}/` },
    });
  }

  async startService(): Promise<RunningProcess> {
    const { stack, ports } = this;
    const changes = [peer('localhost:4318', ports.agentHttp)];
    const config = applyOverrides(stack.config('otlp-service-config', 'production.yaml'), changes);
    const container = stack.container('Deployment', 'otlp-service', 'otlp-service');
    const folder = newFolder('service');
    return await startProcess({
      bin: process.execPath,
      args: [at('apps/sample-service/main.ts'), `--config=${writeConfig(folder, 'production.yaml', config)}`],
      env: {
        ...applyOverrides(stack.environment(container, this.pod), changes),
        // 'listen-address' by the variables that the service reads: the printed file says port 8080.
        OTLP__SERVICE__PORT: String(ports.service),
        OTLP__SERVER__HOST: POD_IP,
      },
      name: 'service',
      cwd: folder,
      ready: { url: `http://${POD_IP}:${ports.service}/health/ready` },
    });
  }

  /** Asks the service and returns the trace id that it answers with. */
  async ask(path: string): Promise<string> {
    const response = await fetch(`http://${POD_IP}:${this.ports.service}${path}`);
    await response.arrayBuffer();
    return response.headers.get('x-trace-id') ?? '';
  }
}

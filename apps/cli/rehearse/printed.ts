/** Finds in the printed manifests what the rehearsal runs. Everything is followed by addresses and mounts, nothing by a well-known name. */
import type { ConfigFile, Container, Service, Snapshot, Workload } from 'otlp-stack-check';
import { InputError } from '../errors.ts';
import { isMapping, mapping, strings, typeOf } from './values.ts';

/** A program with a configuration in the Collector's grammar: the agent, the gateway, Jaeger. */
export interface PrintedProgram {
  readonly workload: Workload;
  readonly container: Container;
  readonly config: ConfigFile;
}

/** The application that the agent stands beside. */
export interface PrintedService {
  readonly workload: Workload;
  readonly container: Container;
  /** ConfigMap files that its container mounts, with their paths there. */
  readonly files: readonly { readonly path: string; readonly config: ConfigFile }[];
}

/** What the rehearsal runs. */
export interface Printed {
  readonly service: PrintedService;
  readonly agent: PrintedProgram;
  /** Where the agent sends traces, as printed: `otel-collector.observability.svc.cluster.local:4317`. */
  readonly upstream: string;
  /** OTLP over HTTP instead of gRPC goes upstream. */
  readonly upstreamHttp: boolean;
  /** Behind `upstream`; undefined where the manifests do not hold it. */
  readonly gateway: PrintedProgram | undefined;
  /** Behind the gateway's first traces exporter of which the manifests hold the destination. */
  readonly tracing: PrintedTracing | undefined;
}

/** Where the gateway sends traces. */
export interface PrintedTracing extends PrintedProgram {
  /** The exporter of the gateway: `otlp_grpc/jaeger`. */
  readonly exporter: string;
  /** Its address, as printed. */
  readonly address: string;
}

const OTLP_EXPORTERS = new Set(['otlp', 'otlp_grpc', 'otlphttp', 'otlp_http']);
const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\]):/;

/**
 * @throws InputError where no pod of the manifests holds an agent beside an application
 */
export function findPrinted(snapshot: Snapshot, folder: string): Printed {
  const agent = sidecars(snapshot)[0];
  if (agent === undefined) {
    throw new InputError(noSidecar(snapshot, folder));
  }
  const service = serviceBeside(snapshot, agent);
  const exporter = otlpExporters(agent.config)[0];
  if (exporter === undefined) {
    const { file, line } = agent.config.tree.place(['service', 'pipelines']);
    throw new InputError(
      `${file}:${line}: the agent's traces pipeline has no otlp_grpc or otlp_http exporter. Add one: the rehearsal counts what it sends.`,
    );
  }
  const gateway = programAt(snapshot, exporter.address, agent.workload.namespace);
  return {
    service,
    agent,
    upstream: exporter.address,
    upstreamHttp: /http/.test(typeOf(exporter.id)),
    gateway,
    tracing: gateway && tracingBehind(snapshot, gateway),
  };
}

/** The agents that share a pod with an application; a service of the stack's own before others. */
function sidecars(snapshot: Snapshot): PrintedProgram[] {
  const found = snapshot.configs
    .filter(({ kind, tree }) => kind === 'collector' && listensOnLoopback(tree.value))
    .flatMap((config) => config.mounts.map(({ workload, container }) => ({ workload, container, config })))
    .filter(({ workload, container }) => container.lasting && workload.containers.some((other) => other.lasting && other !== container));
  const isService = ({ workload }: PrintedProgram): boolean => workload.podLabels['app.kubernetes.io/component'] === 'service';
  return [...found.filter(isService), ...found.filter((program) => !isService(program))];
}

function listensOnLoopback(config: unknown): boolean {
  const receivers = Object.entries(mapping(mapping(config).receivers)).filter(([id]) => typeOf(id) === 'otlp');
  return receivers.some(([, receiver]) =>
    Object.values(mapping(mapping(receiver).protocols)).some((protocol) => {
      // A protocol without an endpoint listens on localhost, which is the Collector's default.
      const { endpoint } = mapping(protocol);
      return endpoint === undefined || (typeof endpoint === 'string' && LOOPBACK.test(endpoint));
    }),
  );
}

function noSidecar(snapshot: Snapshot, folder: string): string {
  const [broken] = snapshot.unreadable;
  if (broken !== undefined) {
    return `${broken.file}:${broken.line}: ${broken.problem}. ${broken.remedy}.`;
  }
  const workloads = snapshot.workloads.map(({ object, name }) => `${object.kind}/${name}`);
  const seen = workloads.length === 0 ? 'no workload' : `${workloads.length} workloads (${workloads.slice(0, 4).join(', ')})`;
  return (
    `${folder}: no pod with an agent beside an application: ${seen}, and none has a container whose mounted configuration receives OTLP on localhost. ` +
    'Print a stack with a service (`otlp-stack synth`), or add the agent to a workload with instrument().'
  );
}

function serviceBeside(snapshot: Snapshot, agent: PrintedProgram): PrintedService {
  const { workload } = agent;
  const others = workload.containers.filter((container) => container.lasting && container !== agent.container);
  const container = others.find(({ env }) => env.has('OTEL_EXPORTER_OTLP_ENDPOINT')) ?? (others[0] as Container);
  const files = snapshot.configs.flatMap((config) =>
    config.mounts
      .filter((mount) => mount.workload === workload && mount.container === container)
      .map(({ file }) => ({ path: file, config })),
  );
  return { workload, container, files };
}

/** The OTLP exporters of the traces pipelines, in their order. */
function otlpExporters(config: ConfigFile): { id: string; address: string }[] {
  const { exporters, service } = mapping(config.tree.value);
  const pipelines = Object.entries(mapping(mapping(service).pipelines)).filter(([id]) => typeOf(id) === 'traces');
  const ids = new Set(pipelines.flatMap(([, pipeline]) => strings(mapping(pipeline).exporters)));
  return [...ids].flatMap((id) => {
    const { endpoint } = mapping(mapping(exporters)[id]);
    return OTLP_EXPORTERS.has(typeOf(id)) && typeof endpoint === 'string' ? [{ id, address: withoutScheme(endpoint) }] : [];
  });
}

/** `http://collector:4318/v1` is at `collector:4318`. */
export function withoutScheme(endpoint: string): string {
  return endpoint.replace(/^[a-z]+:\/\//, '').replace(/\/.*$/, '');
}

function tracingBehind(snapshot: Snapshot, gateway: PrintedProgram): PrintedTracing | undefined {
  for (const { id, address } of otlpExporters(gateway.config)) {
    const program = programAt(snapshot, address, gateway.workload.namespace);
    if (program && 'jaeger_storage' in mapping(mapping(program.config.tree.value).extensions)) {
      return { ...program, exporter: id, address };
    }
  }
  return undefined;
}

/** The program that a Service leads to. */
function programAt(snapshot: Snapshot, address: string, fromNamespace: string): PrintedProgram | undefined {
  const [name = '', namespace = fromNamespace] = address.replace(/:\d+$/, '').split('.');
  const service = snapshot.services.find((candidate) => candidate.name === name && candidate.namespace === namespace);
  const workload = service && snapshot.workloads.find((candidate) => selects(service, candidate));
  for (const config of workload ? snapshot.configs : []) {
    const mount = config.kind === 'collector' ? config.mounts.find((candidate) => candidate.workload === workload) : undefined;
    if (mount) {
      return { workload: mount.workload, container: mount.container, config };
    }
  }
  return undefined;
}

function selects({ namespace, selector }: Service, workload: Workload): boolean {
  const pairs = isMapping(selector) ? Object.entries(selector) : [];
  return namespace === workload.namespace && pairs.length > 0 && pairs.every(([key, value]) => workload.podLabels[key] === value);
}

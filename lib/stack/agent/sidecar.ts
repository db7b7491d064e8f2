import { Duration } from 'cdk8s';
import type { Component } from '../model/component';
import { ConfigContent } from '../model/config-content';
import type { ContainerProps } from '../model/container';
import type { EndpointOptions, IEndpoint } from '../model/endpoint';
import { WorkloadKind } from '../model/workload-kind';
import { AgentConfig } from './agent-config';
import { AGENT_CONFIG_DIRECTORY, AGENT_CONFIG_FILE, type AgentDeploymentOptions, AgentParts } from './agent-container';

/** The name of the agent's container beside an application. */
export const AGENT_CONTAINER = 'otlp-agent';

/** Between the last thing the agent does and the end of the pod. */
const MARGIN = Duration.seconds(5);

export interface AgentSidecarOptions extends AgentDeploymentOptions {
  /**
   * As a native sidecar: an init container that keeps running, starts before the application and ends after it. Otherwise as an
   * ordinary container, which ends at the same time as the application and so may miss its last words.
   * @default true
   */
  readonly native?: boolean;
  /**
   * How long the application takes from SIGTERM to its end; the agent gets its own SIGTERM after that, on the same clock.
   * @default Duration.seconds(15)
   */
  readonly applicationShutdown?: Duration;
}

/** The same with the next hop. */
export interface AgentSidecarProps extends AgentSidecarOptions {
  /** Where telemetry goes: usually the gateway's `otlpGrpc`. */
  readonly upstream: IEndpoint;
}

/**
 * The agent beside an application. It listens on localhost, so the pod's own containers reach it and nobody else; its health and its
 * metrics are on the pod's address.
 *
 * @example
 * new AgentSidecar({ upstream: gateway.otlpGrpc }).addTo(service);
 */
export class AgentSidecar {
  /** Its configuration. */
  public readonly config: AgentConfig;
  /** The port of its metrics. */
  public readonly metrics: EndpointOptions;
  /** The port of its health. */
  public readonly health: EndpointOptions;
  public readonly upstream: IEndpoint;
  /** Whether it runs as an init container that keeps running. */
  public readonly native: boolean;
  private readonly parts: AgentParts;
  private readonly applicationShutdown: Duration;

  constructor(props: AgentSidecarProps) {
    this.parts = new AgentParts(props, { metrics: 'http-agent', health: 'http-agent-up' });
    this.upstream = props.upstream;
    this.native = props.native ?? true;
    this.metrics = this.parts.metrics;
    this.health = this.parts.health;
    this.applicationShutdown = props.applicationShutdown ?? Duration.seconds(15);
    this.config = new AgentConfig(`container '${AGENT_CONTAINER}'`, {
      ...props,
      upstream: props.upstream.address,
      listenHost: 'localhost',
      ports: this.parts.ports,
      memory: this.parts.memory,
      timeouts: this.parts.timeouts,
      upstreamIsCollector: this.parts.upstreamIsCollector,
    });
  }

  /** `http://localhost:4318`: what an application exports to over HTTP. */
  public get httpUrl(): string {
    return `http://localhost:${this.parts.ports.http}`;
  }

  /** `http://localhost:4317`: what an application exports to over gRPC. */
  public get grpcUrl(): string {
    return `http://localhost:${this.parts.ports.grpc}`;
  }

  /** The agent's container, without the mount of its configuration. */
  public get container(): ContainerProps {
    return this.parts.container(AGENT_CONTAINER);
  }

  /** The file of its configuration: to be mounted into the container. */
  public get configFile(): string {
    return AGENT_CONFIG_FILE;
  }

  /** The directory of {@link configFile}. */
  public get configDirectory(): string {
    return AGENT_CONFIG_DIRECTORY;
  }

  /** How long a pod with this agent must be given to end: application, then drain, then a margin; without the native order both at once. */
  public get terminationGrace(): Duration {
    const [application, drain] = [this.applicationShutdown.toSeconds(), this.config.drainDeadline.toSeconds()];
    return Duration.seconds((this.native ? application + drain : Math.max(application, drain)) + MARGIN.toSeconds());
  }

  /** Adds the agent to a component of the model: container, configuration, ports, the way to the upstream and the scrape. */
  public addTo(component: Component): void {
    if (component.kind === WorkloadKind.JOB && !this.native) {
      throw new Error(`${component.node.path}: an ordinary container would keep the Job from ending: leave 'native' at true`);
    }
    const container = this.native ? component.addNativeSidecar(this.container) : component.addContainer(this.container);
    const metrics = component.addEndpoint(this.metrics, container);
    const health = component.addEndpoint(this.health, container);
    for (const [prop, asked, port] of [
      ['metricsPort', this.metrics.port, metrics.port],
      ['healthPort', this.health.port, health.port],
    ] as const) {
      if (asked !== port) {
        throw new Error(
          `${component.node.path}: 'ports' moves the agent to port ${port}, its configuration says ${asked}: set '${prop}' of the agent instead`,
        );
      }
    }
    const content = ConfigContent.yaml(this.config);
    component.addConfigFile({ config: 'agent', directory: AGENT_CONFIG_DIRECTORY, file: AGENT_CONFIG_FILE, content }, container);
    component.connectTo(this.upstream, 'telemetry');
    component.exposeMetrics({ endpoint: metrics, program: 'otlp-agent' });
    component.node.addValidation({ validate: () => this.graceProblems(component) });
  }

  private graceProblems(component: Component): string[] {
    const workload = component._toKube() as { template: { spec: { terminationGracePeriodSeconds: number } } };
    const grace = workload.template.spec.terminationGracePeriodSeconds;
    const needed = this.terminationGrace.toSeconds();
    return grace >= needed
      ? []
      : [
          `'terminationGracePeriod' (${grace} s) must be at least ${needed} s: application (${this.applicationShutdown.toSeconds()} s), drain of the agent (${this.config.drainDeadline.toSeconds()} s) and a margin (${MARGIN.toSeconds()} s); raise it or lower 'drainDeadline'`,
        ];
  }
}

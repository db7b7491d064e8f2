import { Duration, Size } from 'cdk8s';
import { CollectorGateway } from '../collector/gateway';
import { Timeouts } from '../collector/timeouts';
import type { ContainerProps } from '../model/container';
import { Endpoint, type EndpointOptions, Expose, type IEndpoint } from '../model/endpoint';
import { Env } from '../model/env';
import { type Image, Images } from '../model/images';
import { Probe } from '../model/probe';
import { Profile } from '../model/profile';
import { Protocol } from '../model/protocol';
import { Cpu, type Resources } from '../model/quantities';
import type { AgentOptions, AgentPorts } from './agent-config';
import { AgentMemory, type AgentMemoryProps } from './agent-memory';

/** Where the agent finds its configuration. */
export const AGENT_CONFIG_DIRECTORY = '/etc/otlp-agent';
export const AGENT_CONFIG_FILE = 'agent.yaml';

/** What every construct that runs the agent can be told. */
export interface AgentDeploymentOptions extends AgentOptions {
  /** @default - those of the upstream gateway where it is one of ours, else new Timeouts() */
  readonly timeouts?: Timeouts;
  /** @default - as `Images.pinned()` has it */
  readonly image?: Image;
  /** @default Profile.PRODUCTION */
  readonly profile?: Profile;
  /**
   * @default - request 200m and 512Mi, limit 500m and 1Gi; as a gateway request 500m and 1Gi, limit 2 and 2Gi; in development request 50m
   * and 128Mi, limit 500m and 512Mi
   */
  readonly resources?: Resources;
  /** @default - half of the container's memory for telemetry, a quarter for JavaScript's heap */
  readonly memory?: AgentMemoryProps;
  /** @default 4317 */
  readonly grpcPort?: number;
  /** @default 4318 */
  readonly httpPort?: number;
  /** @default 8888 */
  readonly metricsPort?: number;
  /** @default 13133 */
  readonly healthPort?: number;
}

/** The same with the next hop. */
export interface AgentProps extends AgentDeploymentOptions {
  /** Where telemetry goes: usually the gateway's `otlpGrpc`. */
  readonly upstream: IEndpoint;
}

const PRODUCTION_RESOURCES: Resources = {
  cpuRequest: Cpu.millis(200),
  memoryRequest: Size.mebibytes(512),
  cpuLimit: Cpu.millis(500),
  memoryLimit: Size.gibibytes(1),
};

const DEVELOPMENT_RESOURCES: Resources = {
  cpuRequest: Cpu.millis(50),
  memoryRequest: Size.mebibytes(128),
  cpuLimit: Cpu.millis(500),
  memoryLimit: Size.mebibytes(512),
};

/** What the props of an agent amount to. */
export class AgentParts {
  public readonly ports: AgentPorts;
  public readonly resources: Resources;
  public readonly memory: AgentMemory;
  public readonly timeouts: Timeouts | undefined;
  /** Whether the next hop is a Collector of this stack. */
  public readonly upstreamIsCollector: boolean;
  public readonly metrics: EndpointOptions;
  public readonly health: EndpointOptions;

  constructor(
    private readonly props: AgentProps,
    /** The names of its ports: beside an application they must say whose they are. */
    names: { readonly metrics: string; readonly health: string },
  ) {
    this.resources = props.resources ?? (props.profile === Profile.DEVELOPMENT ? DEVELOPMENT_RESOURCES : PRODUCTION_RESOURCES);
    this.memory = new AgentMemory(this.resources.memoryLimit, props.memory);
    this.timeouts = props.timeouts ?? upstreamTimeouts(props.upstream);
    this.upstreamIsCollector = ownerOf(props.upstream) instanceof CollectorGateway;
    this.ports = {
      grpc: props.grpcPort ?? 4317,
      http: props.httpPort ?? 4318,
      health: props.healthPort ?? 13_133,
      metrics: props.metricsPort ?? 8888,
    };
    this.metrics = { name: names.metrics, protocol: Protocol.HTTP, port: this.ports.metrics, expose: Expose.POD };
    this.health = { name: names.health, protocol: Protocol.HTTP, port: this.ports.health, expose: Expose.POD };
  }

  /** The agent's container. */
  public container(name: string): ContainerProps {
    return {
      name,
      image: this.props.image ?? Images.pinned().agent,
      args: ['--config', `${AGENT_CONFIG_DIRECTORY}/${AGENT_CONFIG_FILE}`],
      resources: this.resources,
      env: [
        Env.field('K8S_POD_NAME', 'metadata.name'),
        Env.field('MY_POD_IP', 'status.podIP'),
        Env.value('NODE_OPTIONS', this.memory.nodeOptions),
      ],
      startup: Probe.http(this.health, '/', { period: Duration.seconds(1), timeout: Duration.seconds(3), failureThreshold: 60 }),
      // Alive is not ready: at its memory limit the agent refuses, and a restart there would lose what it holds.
      liveness: Probe.http(this.health, '/livez', { period: Duration.seconds(10), timeout: Duration.seconds(5) }),
    };
  }
}

function ownerOf(upstream: IEndpoint): object | undefined {
  return upstream instanceof Endpoint ? upstream.component : undefined;
}

/** What a next hop of ours says about its own waits: a gateway of the Collector or of the agent. */
function upstreamTimeouts(upstream: IEndpoint): Timeouts | undefined {
  const owner = ownerOf(upstream);
  return owner && 'timeouts' in owner && owner.timeouts instanceof Timeouts ? owner.timeouts : undefined;
}

import { Size } from 'cdk8s';
import type { Construct } from 'constructs';
import { Retry } from '../collector/retry';
import { ScalingMetric, scaleByHpa } from '../derive/scaling';
import type { PodOptions } from '../model/pod';
import { Profile } from '../model/profile';
import { Cpu, type Resources } from '../model/quantities';
import { defaultQueue } from './agent-config';
import type { AgentProps } from './agent-container';
import { AgentWorkload } from './agent-workload';

export interface AgentGatewayProps extends AgentProps, PodOptions {
  /** @default 'otlp-gateway' */
  readonly name?: string;
  /** @default 'observability' */
  readonly namespace?: string;
  /** @default 'otlp-stack' */
  readonly instance?: string;
  /** The least number of pods. @default 3, 1 in development */
  readonly replicas?: number;
  /** The greatest number of pods; none in development. @default 10 */
  readonly maxReplicas?: number;
}

/** Where pods are added, in percent of the soft memory limit: before anything is refused. */
const SCALE_BEFORE_REFUSING = 90;

/**
 * The agent as a gateway: the same program, shared by many senders, for platforms that only collect and forward. It answers when the next
 * hop has the data and does not send again by itself: the agents in front of it keep it until then, and they do.
 *
 * @example
 * const edge = new AgentGateway(chart, 'Edge', { upstream: gateway.otlpGrpc });
 * new AgentSidecar({ upstream: edge.otlpGrpc }).addTo(service);
 */
export class AgentGateway extends AgentWorkload {
  constructor(scope: Construct, id: string, props: AgentGatewayProps) {
    const development = props.profile === Profile.DEVELOPMENT;
    const replicas = props.replicas ?? (development ? 1 : 3);
    const resources = props.resources ?? (development ? undefined : PRODUCTION_RESOURCES);
    super(
      scope,
      id,
      {
        ...props,
        name: props.name ?? 'otlp-gateway',
        namespace: props.namespace ?? 'observability',
        instance: props.instance,
        role: 'agent-gateway',
        replicas,
        spreadOverZones: props.spreadOverZones ?? true,
      },
      { ...props, resources, queue: props.queue ?? defaultQueue(true), retry: props.retry ?? (props.queue ? undefined : Retry.disabled()) },
    );
    this.addDisruptionBudget(1);
    if (resources && !development) {
      const soft = (this.memory.softLimit.toMebibytes() / resources.memoryRequest.toMebibytes()) * SCALE_BEFORE_REFUSING;
      scaleByHpa(this, {
        minReplicas: replicas,
        maxReplicas: Math.max(replicas, props.maxReplicas ?? 10),
        metrics: [
          ScalingMetric.containerCpu(this.container.name, 70),
          ScalingMetric.containerMemory(this.container.name, Math.min(80, Math.floor(soft))),
        ],
      });
    }
  }
}

const PRODUCTION_RESOURCES: Resources = {
  cpuRequest: Cpu.millis(500),
  memoryRequest: Size.gibibytes(1),
  cpuLimit: Cpu.cores(2),
  memoryLimit: Size.gibibytes(2),
};

import type { Construct } from 'constructs';
import { ScalingMetric, scaleByHpa } from '../derive/scaling';
import type { PodOptions } from '../model/pod';
import { Profile } from '../model/profile';
import type { AgentProps } from './agent-container';
import { AgentWorkload } from './agent-workload';
import { podOptions } from './daemon';

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

/**
 * The agent as a gateway: the same program, shared by many senders, for platforms that only collect and forward.
 *
 * @example
 * const edge = new AgentGateway(chart, 'Edge', { upstream: gateway.otlpGrpc });
 */
export class AgentGateway extends AgentWorkload {
  constructor(scope: Construct, id: string, props: AgentGatewayProps) {
    const development = props.profile === Profile.DEVELOPMENT;
    const replicas = props.replicas ?? (development ? 1 : 3);
    super(
      scope,
      id,
      {
        ...podOptions(props),
        name: props.name ?? 'otlp-gateway',
        namespace: props.namespace ?? 'observability',
        instance: props.instance,
        role: 'agent-gateway',
        replicas,
        spreadOverZones: props.spreadOverZones ?? true,
      },
      props,
    );
    this.addDisruptionBudget(1);
    if (!development) {
      scaleByHpa(this, {
        minReplicas: replicas,
        maxReplicas: Math.max(replicas, props.maxReplicas ?? 10),
        metrics: [ScalingMetric.containerCpu(this.container.name, 70), ScalingMetric.containerMemory(this.container.name, 80)],
      });
    }
  }
}

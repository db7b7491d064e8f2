import type { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import type { PodOptions } from '../model/pod';
import { WorkloadKind } from '../model/workload-kind';
import type { AgentProps } from './agent-container';
import { AgentWorkload } from './agent-workload';

export interface AgentDaemonProps extends AgentProps, PodOptions {
  /** @default 'otlp-agent' */
  readonly name?: string;
  /** @default 'observability' */
  readonly namespace?: string;
  /** @default 'otlp-stack' */
  readonly instance?: string;
}

/**
 * One agent per node instead of one per pod. Its Service answers from the sender's own node only, so no host port is needed and the
 * pods stay `restricted`.
 *
 * @example
 * const agents = new AgentDaemon(chart, 'Agents', { upstream: gateway.otlpGrpc });
 * service.connectTo(agents.otlpHttp, 'telemetry');
 */
export class AgentDaemon extends AgentWorkload {
  constructor(scope: Construct, id: string, props: AgentDaemonProps) {
    super(
      scope,
      id,
      {
        ...props,
        name: props.name ?? 'otlp-agent',
        namespace: props.namespace ?? 'observability',
        instance: props.instance,
        role: 'agent',
        kind: WorkloadKind.DAEMON_SET,
      },
      props,
    );
  }

  protected override serviceOptions(): k8s.ServiceSpec {
    return { internalTrafficPolicy: 'Local' };
  }
}

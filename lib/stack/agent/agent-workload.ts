import { Duration } from 'cdk8s';
import type { Construct } from 'constructs';
import { envReference } from '../collector/print';
import { Timeouts } from '../collector/timeouts';
import { Component, type ComponentProps } from '../model/component';
import { ConfigContent } from '../model/config-content';
import type { Container } from '../model/container';
import type { Endpoint } from '../model/endpoint';
import { Probe } from '../model/probe';
import { Protocol } from '../model/protocol';
import { AgentConfig, DRAIN_DEADLINE } from './agent-config';
import { AGENT_CONFIG_DIRECTORY, AGENT_CONFIG_FILE, AgentParts, type AgentProps } from './agent-container';
import type { AgentMemory } from './agent-memory';

/** An agent in pods of its own; it takes data of others, so it listens on the pod's address and leaves their instance ids alone. */
export abstract class AgentWorkload extends Component {
  public readonly otlpGrpc: Endpoint;
  public readonly otlpHttp: Endpoint;
  /** Its own metrics. */
  public readonly metrics: Endpoint;
  public readonly container: Container;
  public readonly config: AgentConfig;
  /** What the timeouts of those that send to it are derived from: its own gathering and its own export. */
  public readonly timeouts: Timeouts;
  /** The limits of its memory. */
  public readonly memory: AgentMemory;

  protected constructor(scope: Construct, id: string, component: ComponentProps, props: AgentProps) {
    super(scope, id, { ...component, terminationGracePeriod: component.terminationGracePeriod ?? terminationGrace(props) });
    const parts = new AgentParts(props, { metrics: 'http-metrics', health: 'http-health' });
    this.memory = parts.memory;
    this.container = this.addContainer({
      ...parts.container('otlp-agent'),
      // Not ready while draining or at the memory limit: senders go to another pod.
      readiness: Probe.http(parts.health, '/readyz', { period: Duration.seconds(5), timeout: Duration.seconds(3) }),
    });
    this.otlpGrpc = this.addEndpoint({ name: 'otlp-grpc', protocol: Protocol.OTLP_GRPC, port: parts.ports.grpc });
    this.otlpHttp = this.addEndpoint({ name: 'otlp-http', protocol: Protocol.OTLP_HTTP, port: parts.ports.http });
    this.metrics = this.addEndpoint(parts.metrics);
    const health = this.addEndpoint(parts.health);
    this.config = new AgentConfig(this.node.path, {
      ...props,
      processors: props.processors ?? [],
      upstream: props.upstream.address,
      listenHost: envReference('MY_POD_IP'),
      // As the endpoints have them: `ports` may have moved them.
      ports: { grpc: this.otlpGrpc.port, http: this.otlpHttp.port, metrics: this.metrics.port, health: health.port },
      memory: parts.memory,
      timeouts: parts.timeouts,
      upstreamIsCollector: parts.upstreamIsCollector,
    });
    this.timeouts = new Timeouts({ flushTimeout: this.config.flushTimeout, exporterTimeout: this.config.exportTimeout });
    const content = ConfigContent.yaml(this.config);
    this.addConfigFile({ directory: AGENT_CONFIG_DIRECTORY, file: AGENT_CONFIG_FILE, content });
    this.connectTo(props.upstream, 'telemetry');
    this.exposeMetrics({ endpoint: this.metrics, program: 'otlp-agent' });
  }
}

function terminationGrace(props: AgentProps): Duration {
  return Duration.seconds((props.drainDeadline ?? DRAIN_DEADLINE).toSeconds() + 5);
}

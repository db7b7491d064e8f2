import { Duration, Size } from 'cdk8s';
import type { Construct } from 'constructs';
import { Component } from '../model/component';
import { ConfigContent } from '../model/config-content';
import { Expose, type IEndpoint } from '../model/endpoint';
import { Env } from '../model/env';
import { type Image, Images } from '../model/images';
import type { PodOptions } from '../model/pod';
import { Probe } from '../model/probe';
import { Protocol } from '../model/protocol';
import { Cpu, type Resources } from '../model/quantities';
import { Volume } from '../model/volume';
import { WorkloadKind } from '../model/workload-kind';
import { type FluentdDirective, fluentdEnv, printFluentd } from './fluentd-config';
import type { LogIndex } from './log-index';

/** On the node, so that read positions and unsent logs outlive the pod. */
const STATE = '/var/log/otlp-stack-fluentd';

export interface FluentdOptions extends PodOptions {
  /** The account that may write to it. @default 'log-writer' */
  readonly user?: string;
  /** Secret in the namespace of this DaemonSet with the account's password, under the account's name. @default 'elasticsearch-users' */
  readonly secretName?: string;
  /** @default 'fluentd' */
  readonly name?: string;
  /** Must allow host paths and root: logs of other pods are readable by root only. @default 'otlp-stack-logs' */
  readonly namespace?: string;
  /** @default 'otlp-stack' */
  readonly instance?: string;
  /** @default - as `Images.pinned()` has it */
  readonly image?: Image;
  /** @default - request 100m and 256Mi, limit 1 and 512Mi */
  readonly resources?: Resources;
  /** `cluster_name` of every record. @default 'default' */
  readonly clusterName?: string;
  /** @default Duration.seconds(10) */
  readonly flushInterval?: Duration;
  /** Attempts before a chunk is set aside on the node. @default 10 */
  readonly retries?: number;
  /** Unsent logs kept on each node; reading stops when it is full. @default Size.gibibytes(2) */
  readonly bufferSize?: Size;
}

/** The same with the store of the logs. */
export interface FluentdProps extends FluentdOptions {
  /** Where logs go. */
  readonly elasticsearch: IEndpoint;
  /** The data stream. */
  readonly index: LogIndex;
}

/**
 * Reads every container's log on every node and sends it to the log index, with its Kubernetes metadata and its trace context.
 */
export class Fluentd extends Component {
  constructor(scope: Construct, id: string, props: FluentdProps) {
    super(scope, id, {
      ...props,
      name: props.name ?? 'fluentd',
      namespace: props.namespace ?? 'otlp-stack-logs',
      role: 'logging',
      kind: WorkloadKind.DAEMON_SET,
      root: true,
      tolerations: props.tolerations ?? [{}],
      terminationGracePeriod: props.terminationGracePeriod ?? Duration.seconds(60),
    });
    const user = props.user ?? 'log-writer';
    const metrics = { name: 'http-metrics', protocol: Protocol.HTTP, port: 24_231, expose: Expose.POD };
    const container = this.addContainer({
      name: this.name,
      image: props.image ?? Images.pinned().fluentd,
      resources: props.resources ?? {
        cpuRequest: Cpu.millis(100),
        memoryRequest: Size.mebibytes(256),
        cpuLimit: Cpu.cores(1),
        memoryLimit: Size.mebibytes(512),
      },
      env: [
        Env.field('K8S_NODE_NAME', 'spec.nodeName'),
        Env.secret('ELASTICSEARCH_PASSWORD', props.secretName ?? 'elasticsearch-users', user),
      ],
      liveness: Probe.http(metrics, '/metrics', {
        initialDelay: Duration.seconds(30),
        period: Duration.seconds(30),
        timeout: Duration.seconds(5),
      }),
      // Root only to read what the kubelet wrote for root; no capability is kept.
      security: { root: true },
      mounts: [
        { volume: this.addVolume(Volume.hostPath('pod-logs', '/var/log/pods')), path: '/var/log/pods' },
        { volume: this.addVolume(Volume.hostPath('container-logs', '/var/log/containers')), path: '/var/log/containers' },
        { volume: this.addVolume(Volume.hostPath('state', STATE, 'DirectoryOrCreate')), path: STATE, readOnly: false },
        { volume: this.addVolume(Volume.emptyDir('tmp', Size.mebibytes(64))), path: '/tmp', readOnly: false },
      ],
    });
    const endpoint = this.addEndpoint(metrics);
    this.exposeMetrics({ endpoint, program: 'fluentd' });
    this.connectTo(props.elasticsearch, 'logs');
    // kubernetes_metadata looks up and watches the pods of its own node.
    this.grantApi([{ resources: ['pods', 'namespaces'], verbs: ['get', 'list', 'watch'] }]);
    this.addConfigFile(
      {
        directory: '/fluentd/etc',
        file: 'fluent.conf',
        content: ConfigContent.text(printFluentd(this.pipeline(props, user, endpoint.port))),
      },
      container,
    );
  }

  private pipeline(props: FluentdProps, user: string, metricsPort: number): FluentdDirective[] {
    return [
      { name: 'source', parameters: { '@type': 'prometheus', bind: '0.0.0.0', port: String(metricsPort), metrics_path: '/metrics' } },
      { name: 'source', parameters: { '@type': 'prometheus_output_monitor' } },
      this.tail(),
      // The kubelet cuts lines at 16 KiB and marks the pieces P (partial) and F (full).
      {
        name: 'filter',
        argument: 'kubernetes.**',
        parameters: {
          '@type': 'concat',
          key: 'message',
          use_partial_cri_logtag: 'true',
          partial_cri_logtag_key: 'logtag',
          partial_cri_stream_key: 'stream',
          separator: '',
        },
      },
      {
        name: 'filter',
        argument: 'kubernetes.**',
        parameters: {
          '@type': 'kubernetes_metadata',
          watch: 'true',
          skip_labels: 'false',
          skip_container_metadata: 'false',
          skip_master_url: 'true',
        },
      },
      // JSON lines become fields, trace_id and span_id among them; a line that is no JSON stays as it is.
      {
        name: 'filter',
        argument: 'kubernetes.**',
        parameters: {
          '@type': 'parser',
          key_name: 'message',
          reserve_data: 'true',
          reserve_time: 'true',
          emit_invalid_record_to_error: 'false',
        },
        directives: [{ name: 'parse', parameters: { '@type': 'json', json_parser: 'oj' } }],
      },
      {
        name: 'filter',
        argument: 'kubernetes.**',
        parameters: { '@type': 'record_transformer' },
        directives: [{ name: 'record', parameters: { cluster_name: props.clusterName ?? 'default' } }],
      },
      this.send(props, user),
    ];
  }

  private tail(): FluentdDirective {
    return {
      name: 'source',
      parameters: {
        '@type': 'tail',
        path: '/var/log/containers/*.log',
        // Its own lines about records it could not send would feed themselves.
        exclude_path: `["/var/log/containers/${this.name}-*_${this.namespace}_*.log"]`,
        pos_file: `${STATE}/containers.pos`,
        tag: 'kubernetes.*',
        read_from_head: 'true',
        refresh_interval: '10s',
      },
      directives: [{ name: 'parse', parameters: { '@type': 'cri', merge_cri_fields: 'true' } }],
    };
  }

  private send(props: FluentdProps, user: string): FluentdDirective {
    const { elasticsearch } = props;
    const [host, port] = [elasticsearch.host, elasticsearch.address.slice(elasticsearch.host.length + 1)];
    return {
      name: 'match',
      argument: 'kubernetes.**',
      parameters: {
        '@type': 'elasticsearch',
        host,
        port,
        scheme: elasticsearch.protocol.scheme,
        user,
        password: fluentdEnv('ELASTICSEARCH_PASSWORD'),
        index_name: props.index.name,
        // A data stream takes only `create`, and wants @timestamp.
        write_operation: 'create',
        include_timestamp: 'true',
        suppress_type_name: 'true',
        // The template and the lifecycle policy are installed by the setup Job.
        reload_connections: 'false',
        reconnect_on_error: 'true',
        reload_on_failure: 'true',
        log_es_400_reason: 'true',
        request_timeout: '30s',
      },
      directives: [
        {
          name: 'buffer',
          parameters: {
            '@type': 'file',
            path: `${STATE}/buffer`,
            flush_interval: `${(props.flushInterval ?? Duration.seconds(10)).toSeconds()}s`,
            flush_thread_count: '2',
            chunk_limit_size: '8m',
            total_limit_size: `${(props.bufferSize ?? Size.gibibytes(2)).toMebibytes()}m`,
            // Reading stops instead of losing lines; the kubelet keeps the files meanwhile.
            overflow_action: 'block',
            retry_type: 'exponential_backoff',
            retry_max_interval: '30s',
            retry_max_times: String(props.retries ?? 10),
          },
        },
        // What ten attempts could not deliver is set aside, not dropped.
        { name: 'secondary', parameters: { '@type': 'secondary_file', directory: `${STATE}/undelivered` } },
      ],
    };
  }
}

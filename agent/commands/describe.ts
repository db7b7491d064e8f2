import { LONGEST_TIMER_MS, printGoDuration } from '../config/go-duration.ts';
import { CONNECTORS, findComponent, PROCESSORS } from '../config/registry.ts';
import type { AgentSettings, ExporterSettings, PipelineSettings, QueueSettings, SocketAddress } from '../config/settings.ts';
import { formatAddress } from '../receive/listen.ts';
import { part } from '../workers/share.ts';

/**
 * The compiled line in words: what `otlp-agent explain` draws and what is said at start. Every limit on the way is named, and every place
 * where data can end other than at its destination.
 */
export interface PipelineDescription {
  readonly id: string;
  readonly stages: readonly StageDescription[];
}

export interface StageDescription {
  readonly stage: 'receive' | 'admit' | 'process' | 'connect' | 'queue' | 'export';
  readonly id: string;
  /** What it does, and its limits. */
  readonly does: readonly string[];
  /** What a sender is told, or what is dropped and counted, and when; empty where nothing can end here. */
  readonly ends: readonly string[];
}

const MIB = 1024 * 1024;

export function describePipelines(settings: AgentSettings): PipelineDescription[] {
  return settings.pipelines.map((pipeline) => ({ id: pipeline.id, stages: stagesOf(settings, pipeline) }));
}

/** `otlp/grpc at 127.0.0.1:4317`: one line for each listener. */
export function describeListeners(settings: AgentSettings, addresses: Readonly<Record<string, SocketAddress>>): string[] {
  return Object.entries(settings.receivers).flatMap(([id, { grpc, http }]) => {
    const at = (name: string, wanted: SocketAddress): string => formatAddress(addresses[name] ?? wanted);
    return [
      ...(grpc === undefined
        ? []
        : [`${id}/grpc at ${at(`${id}/grpc`, grpc.address)}: OTLP/gRPC, messages up to ${mib(grpc.maxMessageBytes)}`]),
      ...(http === undefined ? [] : [`${id}/http at ${at(`${id}/http`, http.address)}: OTLP/HTTP, bodies up to ${mib(http.maxBodyBytes)}`]),
    ];
  });
}

/** `otlp -> memory_limiter -> otlp_grpc` */
export function describePath(pipeline: PipelineSettings): string {
  return [pipeline.receivers.join(' + '), ...pipeline.processors, pipeline.exporters.join(' + ')]
    .filter((part) => part !== '')
    .join(' -> ');
}

function stagesOf(settings: AgentSettings, pipeline: PipelineSettings): StageDescription[] {
  const stages: StageDescription[] = [];
  for (const id of pipeline.receivers) stages.push(...receiverStages(settings, id));
  stages.push(admitStage(settings, pipeline));
  for (const id of pipeline.processors) {
    const own = settings.processors[id];
    if (own === undefined || own.kind === 'memory_limiter') continue;
    const { describe, dataPath } = findComponent(PROCESSORS, own.kind) ?? {};
    stages.push({
      stage: 'process',
      id,
      does: [describe ?? own.kind, dataPath?.bytes ?? ''].filter((text) => text !== ''),
      ends: ['refuses what it cannot read: INVALID_ARGUMENT, 400', ...(dataPath?.drops === undefined ? [] : [dataPath.drops])],
    });
  }
  const { workers } = settings.agent;
  for (const id of pipeline.exporters) {
    const connector = settings.connectors[id];
    if (connector !== undefined) {
      const targets = settings.pipelines.filter((other) => other.receivers.includes(id)).map((other) => other.id);
      const { describe, dataPath } = findComponent(CONNECTORS, connector.kind) ?? {};
      const does = [describe ?? connector.kind, dataPath?.bytes ?? '', `on to ${targets.join(', ')}`].filter((text) => text !== '');
      stages.push({ stage: 'connect', id, does, ends: dataPath?.drops === undefined ? [] : [dataPath.drops] });
      continue;
    }
    const exporter = settings.exporters[id];
    if (exporter !== undefined) stages.push(...exporterStages(exporter, pipeline, workers));
  }
  return stages;
}

function receiverStages(settings: AgentSettings, id: string): StageDescription[] {
  if (settings.connectors[id] !== undefined) return [{ stage: 'receive', id, does: ['what the connector hands on'], ends: [] }];
  const { grpc, http } = settings.receivers[id] ?? {};
  const stages: StageDescription[] = [];
  if (grpc !== undefined)
    stages.push({
      stage: 'receive',
      id: `${id}/grpc`,
      does: [
        `OTLP/gRPC at ${formatAddress(grpc.address)}`,
        `messages up to ${mib(grpc.maxMessageBytes)}, ${grpc.maxConcurrentStreams} at a time on a connection`,
        ...spreadOver(grpc.address, settings.agent.workers),
      ],
      ends: ['refuses larger ones: RESOURCE_EXHAUSTED without RetryInfo', 'refuses malformed ones: INVALID_ARGUMENT'],
    });
  if (http !== undefined)
    stages.push({
      stage: 'receive',
      id: `${id}/http`,
      does: [
        `OTLP/HTTP at ${formatAddress(http.address)}`,
        `bodies up to ${mib(http.maxBodyBytes)}`,
        ...spreadOver(http.address, settings.agent.workers),
      ],
      ends: ['refuses larger ones: 413', 'refuses malformed ones: 400'],
    });
  return stages;
}

function spreadOver(address: SocketAddress, workers: number): string[] {
  if (workers === 1) return [];
  return [address.kind === 'unix' ? `in one of ${workers} workers` : `connections are spread over ${workers} workers`];
}

function admitStage(settings: AgentSettings, pipeline: PipelineSettings): StageDescription {
  const limits: string[] = [];
  const { memoryLimitBytes } = settings.agent;
  if (memoryLimitBytes !== undefined)
    limits.push(`agent.memory_limit_mib: ${mib(memoryLimitBytes)} for the process, new requests up to 80 %`);
  for (const id of pipeline.processors) {
    const own = settings.processors[id];
    if (own?.kind !== 'memory_limiter') continue;
    limits.push(`${id}: ${mib(own.limitBytes)} for the process, new requests up to ${mib(own.limitBytes - own.spikeBytes)}`);
  }
  const limited = limits.length > 0;
  return {
    stage: 'admit',
    id: 'memory',
    does: limited ? limits : ['no limit: requests are counted, and nothing refuses them'],
    ends: limited ? ['refuses new requests before their body is read: UNAVAILABLE, 503, both with a time to come again'] : [],
  };
}

function exporterStages(exporter: ExporterSettings, pipeline: PipelineSettings, workers: number): StageDescription[] {
  // Each upstream of a balancer has a queue of its own.
  const line = exporter.kind === 'loadbalancing' ? exporter.upstream : exporter;
  return [
    { stage: 'queue', id: exporter.id, ...describeQueue(line.queue, pipeline.exporters.length > 1, workers) },
    {
      stage: 'export',
      id: exporter.id,
      does: [
        `${exporter.kind} to ${describeTarget(exporter, pipeline)}`,
        describeBatch(line.queue.batch ?? pipeline.batch),
        ...describeSending(line),
      ],
      ends: describeLosses(line),
    },
  ];
}

const OVERFLOWS: Readonly<Record<QueueSettings['overflow'], string>> = {
  refuse: 'when it is full refuses new requests: UNAVAILABLE, 503, both with a time to come again',
  block: 'when it is full lets senders wait until their own deadline',
  drop_oldest: 'when it is full drops the oldest, counted as evicted',
};

function describeQueue(queue: QueueSettings, fansOut: boolean, workers: number): Pick<StageDescription, 'does' | 'ends'> {
  if (!queue.enabled) return { does: ['none: the sender waits until its request was delivered'], ends: [] };
  const answered = queue.waitForResult
    ? 'the sender is answered when its request was delivered'
    : 'the sender is answered when its request is here';
  return {
    does: [
      `in memory, ${queue.capacity} ${queue.sizer}, ${queue.consumers} in flight`,
      ...(workers > 1 ? [`shared out among ${workers} workers: ${part(queue.capacity, { index: 0, count: workers })} in a worker`] : []),
      answered,
    ],
    ends: [
      OVERFLOWS[queue.overflow],
      ...(fansOut && queue.overflow === 'refuse'
        ? ['while another exporter has room drops what it has none for, counted as enqueue_failed']
        : []),
      ...(queue.waitForResult ? [] : ['SIGKILL loses what is here']),
    ],
  };
}

/** Where an exporter sends; the one line that is said of it at start. */
export function describeTarget(exporter: ExporterSettings, pipeline: PipelineSettings): string {
  switch (exporter.kind) {
    case 'otlp_grpc':
      return `${exporter.authority}, compression ${exporter.compression}${members(exporter)}`;
    case 'otlp_http':
      return `${exporter.urls[pipeline.signal]}, compression ${exporter.compression}${members(exporter)}`;
    case 'debug':
      return 'the log';
    case 'file':
      return `${exporter.path}, format ${exporter.format}`;
    case 'loadbalancing':
      return `each upstream of ${exporter.resolver.kind}, by ${exporter.balancer}, compression ${exporter.upstream.compression}`;
    case 'nop':
      return 'nowhere';
  }
}

function members({ gzipMembers }: { readonly gzipMembers?: boolean }): string {
  return gzipMembers === true ? ', gzip bodies as they came' : '';
}

function describeBatch(batch: PipelineSettings['batch']): string {
  if (batch === undefined) return 'requests go out as they came, none is merged';
  const split = batch.maxSize > 0 ? `, split above ${batch.maxSize}` : '';
  return `merged up to ${batch.minSize} ${batch.sizer} or for ${printGoDuration(batch.flushTimeoutMs)}${split}`;
}

function describeSending({ timeoutMs, retry }: ExporterSettings): string[] {
  const timeout = timeoutMs >= LONGEST_TIMER_MS ? [] : [`${printGoDuration(timeoutMs)} for an attempt`];
  if (!retry.enabled) return timeout;
  const waits = `${printGoDuration(retry.initialIntervalMs)} to ${printGoDuration(retry.maxIntervalMs)}`;
  const end = retry.maxElapsedMs === 0 ? 'without end' : `for ${printGoDuration(retry.maxElapsedMs)}`;
  return [...timeout, `what failed for now is sent again after ${waits}, ${end}`];
}

function describeLosses({ kind, retry, queue }: ExporterSettings): string[] {
  if (kind === 'nop' || kind === 'debug') return ['drops everything, as asked; counted as sent'];
  if (kind === 'file') return ['drops what cannot be written as JSON, counted as send_failed; a full disk is told to the sender'];
  const losses = ['drops what the next hop refuses for good, counted as send_failed'];
  if (!retry.enabled && !queue.waitForResult) losses.push('drops what fails for now too: retry_on_failure is off');
  else if (retry.maxElapsedMs > 0) losses.push('drops what could not be delivered in that time, counted as send_failed');
  losses.push('at the drain deadline what is left, counted as evicted');
  return losses;
}

function mib(bytes: number): string {
  const value = bytes / MIB;
  return `${Number.isInteger(value) ? value : value.toFixed(1)} MiB`;
}

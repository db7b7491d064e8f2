import type { ConfigErrorCode } from './errors.ts';
import { type Field, leaf } from './fields.ts';
import type { Findings } from './parse.ts';
import type { AgentSettings, ExporterSettings } from './settings.ts';
import { originAt, type PathStep } from './tree.ts';

/** Each worker needs some 40 MiB for itself; more threads than this want more agents. */
const MAX_WORKERS = 64;

const WRONG = `wants an integer from 1 to ${MAX_WORKERS}`;

/**
 * A number and no `auto`: limits of memory and queues are shared out among the workers, so that they should not depend on the machine that
 * a pod comes to run on.
 */
export function workersField(): Field<number> {
  return leaf<number>(
    'integer',
    {
      describe:
        'Threads that receive, process and send, each a core at most. The kernel spreads connections over them, so they help where there are many. Limits and queues are those of all workers together.',
      default: 1,
      ours: true,
    },
    1,
    (value) => (typeof value === 'bigint' && value >= 1n && value <= BigInt(MAX_WORKERS) ? { value: Number(value) } : { wrong: WRONG }),
  );
}

/** What cannot be shared out among workers; notices for what can be, and is then not as it is written. */
export function checkWorkers(
  { agent, exporters, receivers }: Pick<AgentSettings, 'agent' | 'exporters' | 'receivers'>,
  findings: Findings,
): void {
  const { workers } = agent;
  if (workers === 1) return;
  const { root, problems, notices } = findings;
  const report = (path: readonly PathStep[], message: string, code: ConfigErrorCode = 'OTLP_CONFIG_VALUE'): void =>
    void problems.push({ code, path, origin: originAt(root, path), message });
  const notice = (path: readonly PathStep[], message: string): void => void notices.push({ path, origin: originAt(root, path), message });
  for (const [id, exporter] of Object.entries(exporters)) {
    if (exporter.kind === 'file')
      report(
        ['exporters', id],
        `writes one file, which has one writer, and agent.workers is ${workers}; set agent.workers to 1, or write the file in an agent of its own`,
      );
    for (const { path, settings } of queuesOf(id, exporter)) {
      const { enabled, capacity, consumers } = settings.queue;
      if (!enabled) continue;
      if (capacity < workers)
        report([...path, 'queue_size'], `(${capacity}) must not be less than agent.workers (${workers}): each worker has its share of it`);
      if (consumers < workers && settings.kind !== 'debug' && settings.kind !== 'nop')
        notice(
          [...path, 'num_consumers'],
          `(${consumers}) is less than agent.workers (${workers}): each worker has one, so that they are ${workers}`,
        );
    }
  }
  for (const [id, receiver] of Object.entries(receivers)) {
    for (const protocol of ['grpc', 'http'] as const) {
      if (receiver[protocol]?.address.kind === 'unix')
        notice(
          ['receivers', id, 'protocols', protocol, 'endpoint'],
          `is a unix socket, which the kernel does not spread: one of the ${workers} workers serves it`,
        );
    }
  }
}

function queuesOf(id: string, exporter: ExporterSettings): { path: readonly PathStep[]; settings: ExporterSettings }[] {
  const own = { path: ['exporters', id, 'sending_queue'], settings: exporter };
  if (exporter.kind !== 'loadbalancing') return [own];
  return [own, { path: ['exporters', id, 'protocol', 'otlp', 'sending_queue'], settings: exporter.upstream }];
}

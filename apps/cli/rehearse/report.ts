import Table from 'cli-table3';
import { COMPACT, compactTable } from '../table.ts';
import type { Change } from './local.ts';
import { number } from './progress.ts';
import type { RehearsalResult } from './result.ts';
import type { OpenAddress } from './sink.ts';

const MIB = 1024 * 1024;

/** What was printed, what of it was changed for this machine, and what was not run. */
export function introduction(changes: readonly Change[], leftOut: readonly string[]): string {
  const widest = Math.max(...changes.map(({ key }) => key.length));
  const files = [...new Set(changes.map(({ where }) => where))];
  const lines = files.flatMap((file) => [
    `  ${file}`,
    ...changes.filter(({ where }) => where === file).map(({ key, from, to }) => `    ${key.padEnd(widest)}  ${from} -> ${to}`),
  ]);
  const cuts = leftOut.length === 0 ? [] : ['Left out, as it cannot run on one machine:', ...leftOut.map((line) => `  ${line}`)];
  return ['Changed for this machine; everything else is as printed:', ...lines, ...cuts].join('\n');
}

/** The one table at the end. */
export function resultTable({ sink, load, spans, tracesReadBack, agent }: RehearsalResult): string {
  const table = new Table({
    ...COMPACT,
    head: ['', 'value', 'where the number comes from'],
    colWidths: [26, 16, 68],
    colAligns: ['left', 'right', 'left'],
  });
  const shape = `${number(load.requests)} requests of ${load.spansPerRequest} spans, ${load.bytesPerSpan} bytes each, ${load.protocol}`;
  table.push(
    [
      'spans sent',
      number(spans.sent),
      `load generator ${number(spans.sentByLoad)} (${shape}); sample service ${number(spans.sentByService)} (its own /metrics)`,
    ],
    ['spans accepted', number(spans.accepted), "the agent's /metrics: otelcol_receiver_accepted_spans"],
    ['spans delivered', number(spans.delivered), sink.countedBy],
    ['spans lost', number(spans.lost), 'sent - delivered'],
    [
      'p50 / p95 of a request',
      `${ms(load.p50Ms)} / ${ms(load.p95Ms)}`,
      `load generator: ${load.connections} connections, each as fast as the agent answers`,
    ],
    [
      'agent CPU',
      `${agent.cpuSecondsPerMillionSpans.toFixed(2)} s`,
      'per million spans: otelcol_process_cpu_seconds, the warm-up of a fresh process included',
    ],
    ['agent memory', `${Math.round(agent.rssBytes / MIB)} MiB`, 'the highest otelcol_process_memory_rss seen during the run'],
  );
  if (tracesReadBack) {
    table.push([
      'traces read back',
      `${tracesReadBack.found} of ${tracesReadBack.asked}`,
      "the sample service's trace ids, asked from Jaeger's query API",
    ]);
  }
  return compactTable(table);
}

/** One line of judgement, with the reason where there is one. */
export function verdict({ spans, load, problems, tracesReadBack }: RehearsalResult): string {
  const lines = [...problems];
  if (spans.lost > 0) {
    const why = load.problem
      ? ` The load generator saw: ${load.problem}.`
      : ' The agent counts them in otelcol_exporter_send_failed_spans.';
    lines.push(`${number(spans.lost)} of ${number(spans.sent)} spans were lost.${why}`);
  }
  if (tracesReadBack && tracesReadBack.found < tracesReadBack.asked) {
    lines.push(`${tracesReadBack.asked - tracesReadBack.found} traces of the sample service are not in Jaeger.`);
  }
  if (spans.duplicates > 0) {
    lines.push(`${number(spans.duplicates)} spans came twice.`);
  }
  return lines.length === 0 ? 'Every span arrived once.' : lines.join('\n');
}

/** What to do next: three lines. */
export function nextSteps(folder: string, again: string): string {
  const steps = [
    [`${again} --keep`, 'leaves everything running and prints its addresses'],
    [`npx otlp-stack-cli requirements ${folder}`, `what a cluster must have before kubectl apply --server-side -f ${folder}`],
    ['docs/tutorial/first-trace.md', 'from nothing to the first trace of a service of your own'],
  ] as const;
  const widest = Math.max(...steps.map(([command]) => command.length));
  return ['Next:', ...steps.map(([command, what]) => `  ${command.padEnd(widest)}  ${what}`)].join('\n');
}

/** The addresses of `--keep`. */
export function openAddresses(open: readonly OpenAddress[]): string {
  const widest = Math.max(...open.map(({ what }) => what.length));
  return ['Still running until ^C:', ...open.map(({ what, address }) => `  ${what.padEnd(widest)}  ${address}`)].join('\n');
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

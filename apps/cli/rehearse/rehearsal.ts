/** The rehearsal: sink, agent, service, load; wait until the agent knows the end of every span; stop in the order of the data path; count. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { readSnapshot, type Snapshot } from 'otlp-stack-check';
import { InputError } from '../errors.ts';
import { startEmbeddedSink } from './embedded-sink.ts';
import { endHelper, forkHelper, nextMessage } from './helper-process.ts';
import { type Change, LocalAddresses } from './local.ts';
import type { LoadMessage, LoadOptions, LoadProtocol, LoadResult } from './messages.ts';
import { type Agent, type AgentBooks, type SampleService, startAgent, startService } from './pod.ts';
import { findPrinted, type Printed } from './printed.ts';
import { findProgram, RehearsalError } from './programs.ts';
import type { Progress } from './progress.ts';
import { startRealSink } from './real-sink.ts';
import type { RehearsalResult } from './result.ts';
import type { OpenAddress, Sink } from './sink.ts';
import { useService } from './traffic.ts';

const PORTS = 40;
const SPANS_PER_REQUEST = 512;
const POLL_MS = 150;
/** Longer than the agent waits before its second try; what takes longer is reported as it stands. */
const SETTLE_TIMEOUT_MS = 25_000;

export interface RehearsalOptions {
  readonly folder: string;
  readonly spans: number;
  readonly protocol: LoadProtocol;
  readonly connections: number;
  /** Undefined: real where both programs are found. */
  readonly sink: 'embedded' | 'real' | undefined;
  /** The embedded sink refuses everything. */
  readonly refuse: boolean;
  readonly keep: boolean;
}

/** Everything that runs. */
export class Rehearsal {
  readonly printed: Printed;
  readonly sink: Sink;
  readonly agent: Agent;
  readonly service: SampleService;
  readonly changes: readonly Change[];
  private readonly folder: string;
  private problems: string[] | undefined;

  private constructor(printed: Printed, sink: Sink, agent: Agent, service: SampleService, changes: readonly Change[], folder: string) {
    this.printed = printed;
    this.sink = sink;
    this.agent = agent;
    this.service = service;
    this.changes = changes;
    this.folder = folder;
  }

  /**
   * Starts sink, agent and service with what is printed in the folder; nothing stays behind when one of them does not start.
   *
   * @throws ManifestReadError, InputError where the manifests are not what can be rehearsed
   * @throws RehearsalError where a program does not start
   */
  static async start(options: RehearsalOptions, progress: Progress, signal: AbortSignal): Promise<Rehearsal> {
    const snapshot = readSnapshot([options.folder]);
    const printed = findPrinted(snapshot, options.folder);
    const folder = mkdtempSync(join(tmpdir(), 'otlp-stack-rehearsal-'));
    const addresses = await LocalAddresses.reserve(PORTS);
    const changes: Change[] = [];
    const started: { stop(): Promise<unknown> }[] = [];
    const context = { snapshot, addresses, changes, folder, signal };
    try {
      const sink = await startSink(options, printed, context, progress);
      started.unshift(sink);
      const agent = await startAgent(printed, sink, context);
      started.unshift(agent.program);
      const service = await startService(printed.service, context);
      return new Rehearsal(printed, sink, agent, service, changes, folder);
    } catch (error) {
      for (const each of started) {
        await each.stop();
      }
      // The logs of a program that did not start are what its message points to.
      if (!(error instanceof RehearsalError)) {
        rmSync(folder, { recursive: true, force: true });
      }
      throw error;
    }
  }

  /** Addresses that a person may open while everything runs. */
  get open(): OpenAddress[] {
    const { agent, service, sink } = this;
    const known = (what: string, address: string | undefined): OpenAddress[] => (address === undefined ? [] : [{ what, address }]);
    return [
      ...sink.open,
      ...known('agent (OTLP/HTTP)', agent.http && `http://${agent.http}`),
      ...known('agent (OTLP/gRPC)', agent.grpc),
      { what: 'agent metrics', address: agent.metricsUrl },
      { what: 'sample service', address: service.url },
    ];
  }

  /** Sends the load and uses the service, then counts; with `keep` everything still runs afterwards. */
  async run(options: RehearsalOptions, progress: Progress, signal: AbortSignal): Promise<RehearsalResult> {
    const began = performance.now();
    const { sink, agent } = this;
    const before = await agent.books();
    const watch = new Watch(this, progress, options.spans);
    const { load, traceIds, made, after } = await this.drive(options, watch, signal).finally(() => watch.end());
    const problems = options.keep ? [] : await this.stopPod();
    const sent = load.sent + made;
    const delivered = await this.delivered(sent, signal);
    const found = await sink.readBack(traceIds);
    if (!options.keep) {
      problems.push(...(await sink.stop()));
    }
    const cpuSeconds = after.cpuSeconds - before.cpuSeconds;
    return {
      sink: { kind: sink.kind, description: sink.description, countedBy: sink.countedBy, leftOut: sink.leftOut },
      load: { ...load, protocol: options.protocol, connections: options.connections, spansPerRequest: SPANS_PER_REQUEST },
      spans: {
        sent,
        sentByLoad: load.sent,
        sentByService: made,
        accepted: after.accepted,
        delivered: delivered.spans,
        lost: Math.max(0, sent - delivered.spans),
        duplicates: delivered.duplicates ?? Math.max(0, delivered.spans - sent),
      },
      tracesReadBack: found === undefined ? undefined : { asked: traceIds.length, found },
      agent: {
        cpuSecondsPerMillionSpans: (cpuSeconds / Math.max(1, after.accepted)) * 1e6,
        rssBytes: Math.max(watch.rssBytes, after.rssBytes),
      },
      seconds: (performance.now() - began) / 1000,
      problems,
    };
  }

  private async drive(options: RehearsalOptions, watch: Watch, signal: AbortSignal): Promise<Driven> {
    const [load, traceIds] = await Promise.all([this.load(options, watch, signal), useService(this.service.url, signal)]);
    const made = await this.settle(watch, signal);
    return { load, traceIds, made, after: await this.agent.books() };
  }

  /** Service first, then the agent with an empty inbox, then the sink. What ended otherwise than it should, in words. Idempotent. */
  async stop(): Promise<string[]> {
    const problems = [...(await this.stopPod()), ...(await this.sink.stop())];
    if (problems.length === 0) {
      rmSync(this.folder, { recursive: true, force: true });
    }
    return problems;
  }

  private async stopPod(): Promise<string[]> {
    if (this.problems === undefined) {
      this.problems = [];
      for (const { program } of [this.service, this.agent]) {
        const code = await program.stop();
        if (code !== 0) {
          this.problems.push(`${program.name} ended with exit code ${code} instead of 0: ${program.lastWords()}`);
        }
      }
    }
    return this.problems;
  }

  private async load(options: RehearsalOptions, watch: Watch, signal: AbortSignal): Promise<LoadResult> {
    const { protocol, spans, connections } = options;
    const address = protocol === 'grpc' ? this.agent.grpc : this.agent.http;
    if (address === undefined) {
      throw new InputError(`the printed agent receives no OTLP over ${protocol}. Choose the other one with --protocol.`);
    }
    const loadOptions: LoadOptions = { protocol, address, spans, spansPerRequest: SPANS_PER_REQUEST, connections };
    const child = forkHelper('load-process', [JSON.stringify(loadOptions)]);
    const abort = (): boolean => child.kill('SIGTERM');
    signal.addEventListener('abort', abort, { once: true });
    try {
      const done = await nextMessage<LoadMessage, 'done'>(child, 'done', (message) => {
        watch.sent = message.kind === 'progress' ? message.sent : message.result.sent;
      });
      return done.result;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
      await endHelper(child);
    }
  }

  /** Waits until the service has nothing to send and the agent knows the end of all that it accepted; the spans of the service. */
  private async settle(watch: Watch, signal: AbortSignal): Promise<number> {
    const deadline = performance.now() + SETTLE_TIMEOUT_MS;
    let before = -1;
    for (;;) {
      await wait(POLL_MS, undefined, { signal });
      const [{ made, waiting }, { accepted, settled }] = [await this.service.spans(), await this.agent.books()];
      const quiet = waiting === 0 && made === before && settled >= accepted;
      if (quiet || performance.now() > deadline) {
        await watch.look();
        return made;
      }
      before = made;
    }
  }

  /** The sink's number, once it no longer changes or is what it should be. */
  private async delivered(expected: number, signal: AbortSignal): Promise<Awaited<ReturnType<Sink['delivered']>>> {
    let last = await this.sink.delivered();
    for (let polls = 0; last.spans < expected && polls < 10; polls++) {
      await wait(POLL_MS, undefined, { signal });
      last = await this.sink.delivered();
    }
    return last;
  }
}

interface Driven {
  readonly load: LoadResult;
  /** That the sample service named. */
  readonly traceIds: readonly string[];
  /** Spans of the sample service. */
  readonly made: number;
  readonly after: AgentBooks;
}

/** Looks at the run from aside: the progress bar, and the highest memory of the agent. */
class Watch {
  sent = 0;
  rssBytes = 0;
  private readonly rehearsal: Rehearsal;
  private readonly progress: Progress;
  private readonly total: number;
  private readonly timer: NodeJS.Timeout;
  private busy = false;

  constructor(rehearsal: Rehearsal, progress: Progress, total: number) {
    this.rehearsal = rehearsal;
    this.progress = progress;
    this.total = total;
    progress.begin(total);
    this.timer = setInterval(() => {
      if (!this.busy) {
        // A look that fails is a program that is ending: who stops it says so.
        this.look().catch(() => {});
      }
    }, POLL_MS);
  }

  async look(): Promise<void> {
    this.busy = true;
    try {
      const [{ rssBytes }, { spans }] = await Promise.all([this.rehearsal.agent.books(), this.rehearsal.sink.delivered()]);
      this.rssBytes = Math.max(this.rssBytes, rssBytes);
      this.progress.update(spans, this.sent, this.total);
    } finally {
      this.busy = false;
    }
  }

  end(): void {
    clearInterval(this.timer);
    this.progress.end();
  }
}

interface StartContext {
  readonly snapshot: Snapshot;
  readonly addresses: LocalAddresses;
  readonly changes: Change[];
  readonly folder: string;
  readonly signal: AbortSignal;
}

async function startSink(options: RehearsalOptions, printed: Printed, context: StartContext, progress: Progress): Promise<Sink> {
  const embedded = async (reason: string): Promise<Sink> => {
    const sink = await startEmbeddedSink(options.refuse);
    progress.say(`Sink: ${sink.description} (${reason})`);
    return sink;
  };
  if (options.sink === 'embedded' || options.refuse) {
    return embedded(options.refuse ? '--refuse' : '--sink embedded');
  }
  const { gateway, tracing } = printed;
  const binaries = { collector: findProgram('otelcol'), jaeger: findProgram('jaeger') };
  const missing = Object.entries({ otelcol: binaries.collector, jaeger: binaries.jaeger }).flatMap(([name, path]) => (path ? [] : [name]));
  const reasons = [
    ...(missing.length > 0 ? [`no ${missing.join(' and no ')} in \${OTLP_REAL_CACHE:-~/.cache/otlp-stack-real}/bin or on PATH`] : []),
    ...(gateway ? [] : [`nothing in the manifests answers at ${printed.upstream}`]),
    ...(gateway && !tracing ? ['the gateway sends traces to no Jaeger of these manifests'] : []),
  ];
  if (gateway && tracing && binaries.collector && binaries.jaeger) {
    const sink = await startRealSink({
      ...context,
      gateway,
      tracing,
      binaries: { collector: binaries.collector, jaeger: binaries.jaeger },
    });
    progress.say(`Sink: ${sink.description}`);
    return sink;
  }
  if (options.sink === 'real') {
    throw new InputError(`--sink real is not possible: ${reasons.join('; ')}. Leave the option out for the embedded sink.`);
  }
  return embedded(reasons.join('; '));
}

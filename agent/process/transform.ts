import type { Signal } from '../config/settings.ts';
import { RequestView } from '../otlp/view/request.ts';
import { MalformedError } from '../otlp/wire.ts';
import { Failures, Refusal } from '../ottl/failures.ts';
import { Item } from '../ottl/item.ts';
import { Conditions, Statements } from '../ottl/run.ts';
import { eachOf } from '../ottl/walk.ts';
import type { ProcessorHost } from './create-processor.ts';
import { type Body, type Metadata, type Processor, ProcessorRefusal } from './process.ts';
import type { RunGroup, TransformSettings } from './transform-config.ts';

/**
 * Processor `transform`: runs OTTL statements.
 * In:       a request. Out: the request as the statements leave it; the very bytes where they change nothing.
 * May drop: nothing; with error_mode propagate a failing statement refuses the request.
 * Counters: otelcol_processor_{incoming,outgoing}_items, otlp_agent_processor_failures.
 * Bytes:    decodes what statements name and nothing else: a condition over one attribute reads that attribute; fields that no statement
 *           sets keep their bytes, unknown ones included.
 * Bench:    test/bench/agent-components
 */
export class TransformProcessor implements Processor {
  readonly #signal: Signal;
  readonly #groups: readonly CompiledGroup[];

  constructor(settings: TransformSettings, signal: Signal, host: Pick<ProcessorHost, 'log' | 'counters'>) {
    this.#signal = signal;
    const failures = new Failures(host.log, settings.id, () => {
      host.counters.failures += 1;
    });
    const groups = signal === 'profiles' ? [] : settings.groups[signal];
    this.#groups = groups.map((group) => new CompiledGroup(group, failures));
  }

  process(body: Body, metadata: Metadata | undefined): Body | string | ProcessorRefusal {
    if (this.#groups.length === 0) return body;
    try {
      const request = new RequestView(this.#signal, body);
      const item = new Item(metadata);
      for (const group of this.#groups) group.run(request, item);
      return request.toBody();
    } catch (error) {
      if (error instanceof Refusal) return new ProcessorRefusal(error.message);
      if (error instanceof MalformedError) return error.message;
      throw error;
    }
  }
}

class CompiledGroup {
  readonly #context: RunGroup['context'];
  readonly #conditions: Conditions | undefined;
  readonly #statements: Statements;

  constructor({ context, style, conditions, statements, errorMode }: RunGroup, failures: Failures) {
    this.#context = context;
    const conditionStyle = style === 'named' ? 'named' : 'plain';
    this.#conditions = conditions.length === 0 ? undefined : new Conditions(conditions, context, conditionStyle, errorMode, failures);
    this.#statements = new Statements(statements, context, style, errorMode, failures);
  }

  run(request: RequestView, item: Item): void {
    eachOf(request, this.#context, item, () => {
      item.forget();
      if (this.#conditions === undefined || this.#conditions.test(item)) this.#statements.run(item);
    });
  }
}

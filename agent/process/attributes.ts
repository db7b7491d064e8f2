import type { Signal } from '../config/settings.ts';
import { AttributeEditor } from '../otlp/splice.ts';
import { compileActions } from './actions/apply.ts';
import { AttributesBytes } from './attributes-bytes.ts';
import type { AttributesSettings } from './attributes-config.ts';
import { selectorOf } from './match/match.ts';
import type { Body, Metadata, Processor } from './process.ts';

/**
 * Processor `attributes`: acts on the attributes of each span, data point or log record.
 * In:       a request. Out: the same with those attributes rewritten; everything else keeps its bytes, without a change all of it.
 * May drop: nothing.
 * Counters: otelcol_processor_{incoming,outgoing}_items.
 * Decodes:  nothing; hash, extract and convert the one value, include and exclude what they compare.
 * Bench:    test/bench/agent-components
 */
export class AttributesProcessor implements Processor {
  readonly #editor: AttributeEditor;
  readonly #bytes: AttributesBytes | undefined;

  /** `asksBytes` false: everything goes through AttributeEditor; for tests that compare the two ways. */
  constructor(settings: AttributesSettings, signal: Signal, asksBytes = true) {
    this.#editor = new AttributeEditor(signal, 'items', compileActions(settings.actions), selectorOf(settings));
    this.#bytes = asksBytes && (signal === 'traces' || signal === 'logs') ? AttributesBytes.of(settings, signal) : undefined;
  }

  process(body: Body, metadata: Metadata | undefined): Body | string {
    return this.#bytes?.process(body, metadata) ?? this.#editor.edit(body, metadata);
  }
}

import type { Signal } from '../config/settings.ts';
import { AttributeEditor } from '../otlp/splice.ts';
import { compileActions } from './actions/apply.ts';
import type { Body, Metadata, Processor } from './process.ts';
import type { ResourceSettings } from './resource-config.ts';

/**
 * Processor `resource`: acts on the attributes of each resource.
 * In:       a request. Out: the same with its resources rewritten; everything else keeps its bytes, without a change all of it.
 * May drop: nothing.
 * Counters: otelcol_processor_{incoming,outgoing}_items.
 * Bench:    test/bench/agent-components
 */
export class ResourceProcessor implements Processor {
  readonly #editor: AttributeEditor;

  constructor(settings: ResourceSettings, signal: Signal) {
    this.#editor = new AttributeEditor(signal, 'resource', compileActions(settings.actions));
  }

  process(body: Body, metadata: Metadata | undefined): Body | string {
    return this.#editor.edit(body, metadata);
  }
}

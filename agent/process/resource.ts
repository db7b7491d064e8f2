import type { ResourceSettings, Signal } from '../config/settings.ts';
import { ResourceEditor } from '../otlp/splice.ts';
import { type Body, type Processor, wholeOf } from './process.ts';

/** Processor `resource`: sets and deletes resource attributes by splicing bytes; spans are never looked at. */
export class ResourceProcessor implements Processor {
  readonly #editor: ResourceEditor;

  constructor(settings: ResourceSettings, signal: Signal) {
    this.#editor = new ResourceEditor(settings.actions, signal);
  }

  process(body: Body): Body | string {
    const edited = this.#editor.edit(wholeOf(body));
    return typeof edited === 'string' ? edited : { ...edited, items: body.items };
  }
}

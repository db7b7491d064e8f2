import type { ResourceSettings, Signal } from '../config/settings.ts';
import { ResourceEditor } from '../otlp/splice.ts';
import type { Body, Processor } from './process.ts';

/** Processor `resource`: sets and deletes resource attributes by splicing bytes; spans are never looked at. */
export class ResourceProcessor implements Processor {
  readonly #editor: ResourceEditor;

  constructor(settings: ResourceSettings, signal: Signal) {
    this.#editor = new ResourceEditor(settings.actions, signal);
  }

  process(body: Body): Body | string {
    // Slices come whole from receive (one) or from an editor before this one; a second editor joins them, which is rare and small.
    const only = body.slices.length === 1 ? (body.slices[0] as Uint8Array) : Buffer.concat(body.slices);
    return this.#editor.edit(only);
  }
}

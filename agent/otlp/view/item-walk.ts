import { SMALL_BODY_BYTES } from '../../admit/slab.ts';
import { type Body, wholeOf } from '../../process/process.ts';
import { DROP, EDIT, editItemsOrThrow, type ItemEditor, KEEP } from '../edit-items.ts';
import { ItemWriter } from './item-writer.ts';
import type { LogView } from './log.ts';
import type { MetricView } from './metric.ts';
import { ITEM_VIEWS, RequestView, ResourceView, ScopeView } from './request.ts';
import type { SpanView } from './span.ts';

export type WalkedSignal = 'traces' | 'metrics' | 'logs';
export type WalkedItem = SpanView | MetricView | LogView;

/** What a walk is for. Resources and scopes are to be read only: what is written into them is not kept. */
export interface Visitor {
  /** Scopes and resources without items stay. */
  readonly keepsEmpty: boolean;
  /** Before anything else of a request. */
  begin?(buf: Buffer): void;
  /** Before what is in it, which lies at [from, end); false drops it. */
  resource(resource: ResourceView, from: number, end: number): boolean;
  scope(scope: ScopeView, from: number, end: number): boolean;
  /** Whether the item at [from, end) is of no concern. */
  skips?(buf: Buffer, from: number, end: number): boolean;
  /** May change the item and what is in it, or remove it. It is the same object for all items: nothing of it is to be kept. */
  item(item: WalkedItem): void;
}

/** As attributes have it: what a thousand make of two bytes is an attack, and one of sense stays far below. */
const LIMIT = { times: 32, bytes: 16 * 1024 * 1024 };

/**
 * Goes through the items of a request once, forwards, with one view that stands for one after the other, and writes what changed into one
 * buffer. What `visitor` does is what it would do in a RequestView, by the same views; a RequestView keeps all of them until it is written,
 * which is three times as dear (test/bench/agent-processors-alone.mjs).
 *
 *   request | resource | scope | item | item | item | scope | item ...
 *                                ^ the view: read, changed, written, pointed at the next one
 */
export class ItemWalk implements ItemEditor {
  readonly limit = LIMIT;
  readonly keepsEmpty: boolean;
  growth = 0;
  readonly #signal: WalkedSignal;
  readonly #visitor: Visitor;
  readonly #writer = new ItemWriter();
  #request: RequestView | undefined;
  #resource: ResourceView | undefined;
  #scope: ScopeView | undefined;
  #item: WalkedItem | undefined;

  constructor(signal: WalkedSignal, visitor: Visitor) {
    this.#signal = signal;
    this.#visitor = visitor;
    this.keepsEmpty = visitor.keepsEmpty;
  }

  /** What the visitor left of it: the very body where it changed nothing. Throws MalformedError, and what the visitor throws. */
  run(body: Body): Body {
    const whole = body.slices.length === 1 ? body : { ...body, slices: [wholeOf(body)] };
    const request = new RequestView(this.#signal, whole);
    this.#request = request;
    try {
      this.#visitor.begin?.(request.source);
      const result = editItemsOrThrow(whole, request.source, this);
      return result === whole ? body : { ...result, items: request.itemCount() };
    } finally {
      this.#request = undefined;
      this.#resource = undefined;
      this.#scope = undefined;
      // A view keeps the buffer that it was last about: only small ones, whose views are dear to make anew for a few items.
      if (request.source.length >= SMALL_BODY_BYTES) this.#item = undefined;
      this.#writer.end();
    }
  }

  resource(buf: Uint8Array, from: number, end: number): boolean {
    this.#resource = new ResourceView(this.#request, buf as Buffer, from, end);
    if (this.#visitor.resource(this.#resource, from, end)) return true;
    this.#resource.remove();
    return false;
  }

  scope(buf: Uint8Array, from: number, end: number): boolean {
    const scope = new ScopeView(this.#resource, buf as Buffer, from, end);
    this.#scope = scope;
    if (!this.#visitor.scope(scope, from, end)) {
      scope.remove();
      return false;
    }
    this.#item?.moveTo(scope);
    return true;
  }

  decide(buf: Uint8Array, from: number, end: number): number {
    if (this.#visitor.skips?.(buf as Buffer, from, end) === true) return KEEP;
    const item = this.#pointed(buf as Buffer, from, end);
    item.claim(1);
    this.#visitor.item(item);
    if (item.removed) return DROP;
    if (!item.dirty) return KEEP;
    const writer = this.#writer;
    writer.begin();
    item.write(writer);
    this.growth = Math.max(0, writer.bytes - (end - from));
    return EDIT;
  }

  write(_buf: Uint8Array, _from: number, _end: number, out: Buffer, at: number): number {
    return this.#writer.copyTo(out, at);
  }

  #pointed(buf: Buffer, from: number, end: number): WalkedItem {
    const item = this.#item;
    if (item === undefined) {
      this.#item = new ITEM_VIEWS[this.#signal](this.#scope as ScopeView, buf, from, end);
      return this.#item;
    }
    item.point(buf, from, end);
    return item;
  }
}

import type { Signal } from '../config/settings.ts';
import { asBuffer } from '../otlp/view/attributes.ts';
import { lenHeader, position, readLength, readTag, skipField, WIRE_LEN } from '../otlp/wire.ts';
import type { Piece } from '../runtime/chunk.ts';
import { isChild, itemsIn } from './levels.ts';
import { PieceBuilder } from './piece-builder.ts';

/** Where a key belongs: an index that the caller gave the meaning of. The key lies in [from, end). */
export type Route = (key: Uint8Array, from: number, end: number) => number;

/** Says where a message goes as a whole, or -1 where its parts have to be asked. */
export interface Keyer {
  /** `field` is the one that led to the message. Called for every message on the way down, outermost first. */
  targetOf(level: number, field: number, buf: Uint8Array, from: number, end: number, route: Route): number;
}

/** A part of a request, and where it goes. */
export interface Part extends Piece {
  readonly target: number;
}

const MANY = -2;
/** A message in which nothing lies that could be routed. */
const NONE = -3;

type Builders = Map<number, PieceBuilder>;

/**
 * What is common is repeated for each target, so a request can become larger: as some hundred bytes for each resource, or, made for it, a
 * hundredfold. Above both limits it is not cut.
 */
const MOST_TIMES = 4;
const ALWAYS_BYTES = 1024 * 1024;

/**
 * Cuts a request by key on the wire: nothing is decoded but what the key is made of. Each target gets a request of its own; what lies
 * on the way to its items (resource, scope, schema URLs, unknown fields) is repeated for each, under new length headers. A message
 * whose items all go to one place stays whole.
 *
 *   request             ResourceX [Resource | ScopeX [Scope | span a | span b | span c]]          a, c -> 0    b -> 1
 *   target 0    hdr     ResourceX'[Resource | hdr ScopeX'[Scope | span a | span c]]
 *   target 1    hdr     ResourceX'[Resource | hdr ScopeX'[Scope | span b]]
 */
export class KeySplitter {
  readonly #signal: Signal;
  readonly #keyer: Keyer;
  #buf: Buffer = Buffer.alloc(0);
  #route: Route = () => 0;
  /** Bytes that may still be repeated. */
  #left = 0;
  /** What the last walk that ended with MANY made. */
  #made: Builders = new Map();

  constructor(signal: Signal, keyer: Keyer) {
    this.#signal = signal;
    this.#keyer = keyer;
  }

  /**
   * One part for each target; a single one, the request itself, where all of it goes there or nothing in it can be routed. `items` are
   * those of the request. Throws on malformed bytes.
   */
  split(request: Uint8Array, items: number, route: Route): Part[] {
    this.#buf = asBuffer(request);
    this.#route = route;
    this.#left = Math.max(MOST_TIMES * request.length, ALWAYS_BYTES);
    const target = this.#walk(0, 0, 0, request.length);
    if (target !== MANY)
      return [{ target: target === NONE ? route(request, 0, 0) : target, slices: [request], bytes: request.length, items }];
    return [...this.#made].map(([to, builder]) => ({ target: to, slices: builder.finish(), bytes: builder.bytes, items: builder.items }));
  }

  #walk(level: number, field: number, from: number, end: number): number {
    const whole = level === 0 ? -1 : this.#keyer.targetOf(level, field, this.#buf, from, end, this.#route);
    if (whole >= 0) return whole;
    const buf = this.#buf;
    // Until a second target turns up nothing is made: what there is lies in one row, which begins at `from`.
    let made: Builders | undefined;
    let single = NONE;
    /** Fields that lead to no item, start and stop by turns: every target gets them. */
    const common: number[] = [];
    /** How many of `common` a builder has. */
    const has = new Map<PieceBuilder, number>();
    let pos = from;
    while (pos < end) {
      const tag = readTag(buf, pos, end);
      const at = position();
      const inner = tag >>> 3;
      if ((tag & 7) !== WIRE_LEN || !isChild(this.#signal, level, inner)) {
        const stop = skipField(buf, tag, at, end);
        if (common.length > 0 && common.at(-1) === pos) common[common.length - 1] = stop;
        else common.push(pos, stop);
        pos = stop;
        continue;
      }
      const stop = readLength(buf, at, end);
      const body = position();
      const target = this.#walk(level + 1, inner, body, stop);
      if (target === NONE || (target === single && made === undefined)) {
        pos = stop;
        continue;
      }
      if (made === undefined && single === NONE && target !== MANY) {
        single = target;
        pos = stop;
        continue;
      }
      const parts = target === MANY ? this.#made : undefined;
      made ??= this.#begin(level, single, from, pos, has, common);
      if (parts === undefined) {
        const builder = this.#builderOf(made, target, has, common);
        builder.add(buf, pos, stop);
        builder.items += itemsIn(this.#signal, level + 1, buf, body, stop);
      } else {
        for (const [to, part] of parts) {
          const builder = this.#builderOf(made, to, has, common);
          const header = asBuffer(lenHeader(inner, part.bytes));
          builder.add(header, 0, header.length);
          builder.addAll(part);
        }
      }
      pos = stop;
    }
    if (made === undefined) return single;
    for (const builder of made.values()) this.#addCommon(builder, has, common);
    this.#made = made;
    return MANY;
  }

  /** The first builder, with all that lies before the second target. */
  #begin(level: number, single: number, from: number, end: number, has: Map<PieceBuilder, number>, common: readonly number[]): Builders {
    if (single === NONE) return new Map();
    const builder = new PieceBuilder();
    builder.add(this.#buf, from, end);
    builder.items = itemsIn(this.#signal, level, this.#buf, from, end);
    has.set(builder, common.length);
    return new Map([[single, builder]]);
  }

  #builderOf(made: Builders, target: number, has: Map<PieceBuilder, number>, common: readonly number[]): PieceBuilder {
    const present = made.get(target);
    if (present !== undefined) return present;
    const builder = new PieceBuilder();
    made.set(target, builder);
    this.#addCommon(builder, has, common);
    return builder;
  }

  /** Those of the common fields that it does not have yet. */
  #addCommon(builder: PieceBuilder, has: Map<PieceBuilder, number>, common: readonly number[]): void {
    for (let i = has.get(builder) ?? 0; i < common.length; i += 2) {
      const [start, stop] = [common[i] as number, common[i + 1] as number];
      this.#left -= stop - start;
      if (this.#left < 0) throw new Error('the parts of the request would have much more than its bytes');
      builder.add(this.#buf, start, stop);
    }
    has.set(builder, common.length);
  }
}

import type { Signal } from '../config/settings.ts';
import { lenHeader, position, readLength, readTag, skipField, WIRE_LEN } from '../otlp/wire.ts';
import type { Piece } from '../runtime/chunk.ts';
import { isChild, itemsIn } from './levels.ts';

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

interface Fragment {
  readonly slices: Uint8Array[];
  bytes: number;
  items: number;
}

type Fragments = Map<number, Fragment>;

/**
 * Cuts a request by key on the wire: nothing is decoded but what the key is made of. Each target gets a request of its own; what lies
 * on the way to its items (resource, scope, schema URLs, unknown fields) is repeated for each, as slices of the same memory, with new
 * length headers only. A message whose items all go to one place stays whole.
 *
 *   request             ResourceX [Resource | ScopeX [Scope | span a | span b | span c]]          a, c -> 0    b -> 1
 *   target 0    hdr     ResourceX'[Resource | hdr ScopeX'[Scope | span a | span c]]
 *   target 1    hdr     ResourceX'[Resource | hdr ScopeX'[Scope | span b]]
 */
export class KeySplitter {
  readonly #signal: Signal;
  readonly #keyer: Keyer;
  #buf: Uint8Array = new Uint8Array();
  #route: Route = () => 0;
  /** What the last walk that ended with MANY found. */
  #found: Fragments = new Map();

  constructor(signal: Signal, keyer: Keyer) {
    this.#signal = signal;
    this.#keyer = keyer;
  }

  /** One part for each target; a single one where all goes there, or where there is nothing to route. Throws on malformed bytes. */
  split(request: Uint8Array, route: Route): Part[] {
    this.#buf = request;
    this.#route = route;
    const target = this.#walk(0, 0, 0, request.length);
    if (target === MANY) return [...this.#found].map(([to, { slices, bytes, items }]) => ({ target: to, slices, bytes, items }));
    const items = itemsIn(this.#signal, 0, request, 0, request.length);
    return [{ target: target === NONE ? route(request, 0, 0) : target, slices: [request], bytes: request.length, items }];
  }

  #walk(level: number, field: number, from: number, end: number): number {
    const whole = level === 0 ? -1 : this.#keyer.targetOf(level, field, this.#buf, from, end, this.#route);
    if (whole >= 0) return whole;
    const buf = this.#buf;
    const common: number[] = [];
    const starts: number[] = [];
    const stops: number[] = [];
    const bodies: number[] = [];
    const targets: number[] = [];
    const many: Fragments[] = [];
    let single = NONE;
    let pos = from;
    while (pos < end) {
      const tag = readTag(buf, pos, end);
      const at = position();
      const inner = tag >>> 3;
      if ((tag & 7) !== WIRE_LEN || !isChild(this.#signal, level, inner)) {
        const stop = skipField(buf, tag, at, end);
        common.push(pos, stop);
        pos = stop;
        continue;
      }
      const stop = readLength(buf, at, end);
      const body = position();
      const target = this.#walk(level + 1, inner, body, stop);
      if (target !== NONE) {
        single = single === NONE || single === target ? target : MANY;
        starts.push(pos);
        stops.push(stop);
        bodies.push(body);
        targets.push(target);
        if (target === MANY) many.push(this.#found);
      }
      pos = stop;
    }
    if (single !== MANY) return single;
    this.#found = this.#group(level, { common, starts, stops, bodies, targets, many });
    return MANY;
  }

  #group(level: number, { common, starts, stops, bodies, targets, many }: Children): Fragments {
    const found: Fragments = new Map();
    let manyAt = 0;
    for (let i = 0; i < targets.length; i += 1) {
      const target = targets[i] as number;
      if (target === MANY) {
        const field = fieldAt(this.#buf, starts[i] as number);
        for (const [to, inner] of many[manyAt] as Fragments) {
          const fragment = this.#fragmentOf(found, to, common);
          const header = lenHeader(field, inner.bytes);
          fragment.slices.push(header, ...inner.slices);
          fragment.bytes += header.length + inner.bytes;
          fragment.items += inner.items;
        }
        manyAt += 1;
        continue;
      }
      // Neighbours that go to the same place are one slice.
      const start = starts[i] as number;
      const fragment = this.#fragmentOf(found, target, common);
      fragment.items += itemsIn(this.#signal, level + 1, this.#buf, bodies[i] as number, stops[i] as number);
      while (i + 1 < targets.length && targets[i + 1] === target && starts[i + 1] === stops[i]) {
        i += 1;
        fragment.items += itemsIn(this.#signal, level + 1, this.#buf, bodies[i] as number, stops[i] as number);
      }
      fragment.slices.push(this.#buf.subarray(start, stops[i] as number));
      fragment.bytes += (stops[i] as number) - start;
    }
    return found;
  }

  #fragmentOf(found: Fragments, target: number, common: readonly number[]): Fragment {
    const present = found.get(target);
    if (present !== undefined) return present;
    const fragment: Fragment = { slices: [], bytes: 0, items: 0 };
    for (let i = 0; i < common.length; i += 2) {
      const slice = this.#buf.subarray(common[i] as number, common[i + 1] as number);
      fragment.slices.push(slice);
      fragment.bytes += slice.length;
    }
    found.set(target, fragment);
    return fragment;
  }
}

/** The fields of one message: those that every target gets, and those that lead down. */
interface Children {
  /** Start and stop by turns. */
  readonly common: readonly number[];
  readonly starts: readonly number[];
  readonly stops: readonly number[];
  readonly bodies: readonly number[];
  readonly targets: readonly number[];
  /** One for each target that is MANY. */
  readonly many: readonly Fragments[];
}

function fieldAt(buf: Uint8Array, start: number): number {
  return readTag(buf, start, buf.length) >>> 3;
}

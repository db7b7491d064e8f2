import type { Signal } from '../config/settings.ts';
import { asBuffer } from '../otlp/view/attributes.ts';
import { position, readLength, readTag, skipField, varintSize, WIRE_LEN } from '../otlp/wire.ts';
import type { Hold } from '../runtime/chunk.ts';
import { CLOSE, COMMON, CutLog, ENTRY, OPEN, RUN } from './cut-log.ts';
import { countedLevel, isChild, itemsIn, LEVELS } from './levels.ts';
import type { Part } from './part.ts';
import { PartLane, SHARE_FROM_BYTES } from './part-lane.ts';

/** Where a key belongs: an index that the caller gave the meaning of, from 0 and dense. The key lies in [from, end). */
export type Route = (key: Uint8Array, from: number, end: number) => number;

/** Says where a message goes as a whole, or -1 where its parts have to be asked. */
export interface Keyer {
  /** `field` is the one that led to the message. Called for every message on the way down, outermost first. */
  targetOf(level: number, field: number, buf: Uint8Array, from: number, end: number, route: Route): number;
}

/** What a request will be cut into: a part for each target, in the order in which the parts are written. */
export interface Plan {
  readonly targets: readonly number[];
  /** By part: of what it will be. */
  readonly bytes: readonly number[];
  readonly items: readonly number[];
}

const NOTHING = Buffer.alloc(0);
const MANY = -2;
/** A message in which nothing lies that could be routed. */
const NONE = -3;

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
 *
 * Three steps, each once over the request, nothing allocated for an item: walk (where does what lie, and where does it go), measure (who
 * is in which message, and how long that is), write. Between the last two the caller may look whether there is room: nothing is held yet.
 */
export class KeySplitter {
  readonly #signal: Signal;
  readonly #keyer: Keyer;
  readonly #counted: number;
  readonly #log = new CutLog();
  /** By who is charged, then by target; they outlive requests. */
  readonly #lanes = new WeakMap<Hold['charging'], PartLane[]>();
  #shareFrom = SHARE_FROM_BYTES;
  #buf: Buffer = Buffer.alloc(0);
  #route: Route = () => 0;
  /** By target: bytes that are copied and not shared, and items. */
  #copied: number[] = [];
  #items: number[] = [];
  /** By depth, then target: bytes of the open message, -1 where it has none of that target. */
  readonly #sizes: number[][] = Array.from({ length: LEVELS }, () => []);
  /** By depth: the targets that are in the open message. */
  readonly #present: number[][] = Array.from({ length: LEVELS }, () => []);
  /** Of each message that was closed: target and bytes, by turns. */
  #members: number[] = [];

  constructor(signal: Signal, keyer: Keyer) {
    this.#signal = signal;
    this.#keyer = keyer;
    this.#counted = countedLevel(signal);
  }

  /**
   * What `request`, which has so many items, is cut into. A single part is the request itself: all of it goes there, or nothing in it can
   * be routed. `shares` is false for bytes that nobody holds: all is copied then. Throws on malformed bytes.
   */
  plan(request: Uint8Array, items: number, route: Route, shares = true): Plan {
    this.#buf = asBuffer(request);
    this.#route = route;
    this.#shareFrom = shares ? SHARE_FROM_BYTES : Number.POSITIVE_INFINITY;
    this.#log.clear();
    const target = this.#walk(0, 0, 0, request.length);
    if (target !== MANY) {
      this.#log.clear();
      return { targets: [target === NONE ? route(request, 0, 0) : target], bytes: [request.length], items: [items] };
    }
    this.#measure(Math.max(MOST_TIMES * request.length, ALWAYS_BYTES));
    return this.#planned();
  }

  /** Where the message at [from, end) goes. With MANY the log tells of its parts, else it says nothing of them. */
  #walk(level: number, field: number, from: number, end: number): number {
    const buf = this.#buf;
    const log = this.#log;
    const begun = log.end;
    log.push(OPEN, field, level, 0, 0);
    const childItems = level + 1 === this.#counted ? 1 : -1;
    let single = NONE;
    let many = false;
    let pos = from;
    while (pos < end) {
      const tag = readTag(buf, pos, end);
      const at = position();
      const inner = tag >>> 3;
      if ((tag & 7) !== WIRE_LEN || !isChild(this.#signal, level, inner)) {
        const stop = skipField(buf, tag, at, end);
        log.common(pos, stop);
        pos = stop;
        continue;
      }
      const stop = readLength(buf, at, end);
      const body = position();
      const whole = this.#keyer.targetOf(level + 1, inner, buf, body, stop, this.#route);
      const target = whole >= 0 ? whole : this.#walk(level + 1, inner, body, stop);
      if (target === MANY) many = true;
      else if (target !== NONE) {
        log.run(pos, stop, target, childItems);
        if (single === NONE) single = target;
        else if (single !== target) many = true;
      }
      pos = stop;
    }
    if (many) {
      log.push(CLOSE, 0, 0, 0, 0);
      return MANY;
    }
    log.end = begun;
    return single;
  }

  /** Says at each OPEN which targets are in the message, and how many bytes of each. `left` may be repeated. */
  #measure(left: number): void {
    const { at, end } = this.#log;
    const opened: number[] = [];
    const common: number[] = [];
    const copiedCommon: number[] = [];
    this.#copied = [];
    this.#items = [];
    this.#members = [];
    for (const one of this.#sizes) one.length = 0;
    for (const one of this.#present) one.length = 0;
    let mayRepeat = left;
    for (let i = 0; i < end; i += ENTRY) {
      const depth = opened.length - 1;
      switch (at[i]) {
        case OPEN:
          opened.push(i);
          common.push(0);
          copiedCommon.push(0);
          break;
        case COMMON: {
          const bytes = (at[i + 2] as number) - (at[i + 1] as number);
          common[depth] = (common[depth] as number) + bytes;
          if (bytes < this.#shareFrom) copiedCommon[depth] = (copiedCommon[depth] as number) + bytes;
          break;
        }
        case RUN:
          this.#measureRun(i, depth, at[(opened[depth] as number) + 2] as number);
          break;
        default: {
          const shared = common.pop() as number;
          const opening = opened.pop() as number;
          mayRepeat -= shared * ((this.#present[depth] as number[]).length - 1);
          if (mayRepeat < 0) throw new Error('the parts of the request would have much more than its bytes');
          this.#measureMessage(opening, depth, shared, copiedCommon.pop() as number);
        }
      }
    }
  }

  #measureRun(entry: number, depth: number, level: number): void {
    const { at } = this.#log;
    const from = at[entry + 1] as number;
    const end = at[entry + 2] as number;
    const target = at[entry + 3] as number;
    const counted = at[entry + 4] as number;
    const bytes = end - from;
    this.#grow(depth, target, bytes);
    if (bytes < this.#shareFrom) this.#copied[target] = (this.#copied[target] as number) + bytes;
    const items = counted >= 0 ? counted : itemsIn(this.#signal, level, this.#buf, from, end);
    this.#items[target] = (this.#items[target] as number) + items;
  }

  /** A message is closed: it grows its parent by itself and its header, for each target. */
  #measureMessage(opening: number, depth: number, common: number, copiedCommon: number): void {
    const { at } = this.#log;
    const sizes = this.#sizes[depth] as number[];
    const present = this.#present[depth] as number[];
    const tagBytes = varintSize((at[opening + 1] as number) * 8 + WIRE_LEN);
    at[opening + 3] = this.#members.length;
    at[opening + 4] = present.length;
    for (const target of present) {
      const bytes = (sizes[target] as number) + common;
      sizes[target] = -1;
      this.#members.push(target, bytes);
      const header = depth === 0 ? 0 : tagBytes + varintSize(bytes);
      this.#copied[target] = (this.#copied[target] as number) + copiedCommon + header;
      if (depth > 0) this.#grow(depth - 1, target, header + bytes);
    }
    present.length = 0;
  }

  #grow(depth: number, target: number, bytes: number): void {
    const sizes = this.#sizes[depth] as number[];
    if (this.#copied[target] === undefined) {
      this.#copied[target] = 0;
      this.#items[target] = 0;
    }
    const before = sizes[target] ?? -1;
    if (before < 0) (this.#present[depth] as number[]).push(target);
    sizes[target] = Math.max(before, 0) + bytes;
  }

  /** The request itself was closed last, so that its members are the last ones. */
  #planned(): Plan {
    const plan = { targets: [] as number[], bytes: [] as number[], items: [] as number[] };
    for (let k = this.#log.at[3] as number; k < this.#members.length; k += 2) {
      const target = this.#members[k] as number;
      plan.targets.push(target);
      plan.bytes.push(this.#members[k + 1] as number);
      plan.items.push(this.#items[target] as number);
    }
    return plan;
  }

  /** The parts of what was planned last, which has several; `hold` is the memory of the request. */
  write({ targets, bytes, items }: Plan, hold: Hold): Part[] {
    const lanes = this.#lanesFor(hold.charging);
    for (const target of targets) {
      lanes[target] ??= new PartLane(hold.charging);
      (lanes[target] as PartLane).begin(this.#copied[target] as number);
    }
    this.#writeInto(lanes);
    this.#buf = NOTHING;
    return targets.map((target, i) => (lanes[target] as PartLane).finish(target, bytes[i] as number, items[i] as number, hold));
  }

  #writeInto(lanes: readonly PartLane[]): void {
    const { at, end } = this.#log;
    const buf = this.#buf;
    const shareFrom = this.#shareFrom;
    const members = this.#members;
    const opened: number[] = [];
    for (let i = 0; i < end; i += ENTRY) {
      const kind = at[i];
      if (kind === CLOSE) {
        opened.pop();
        continue;
      }
      const from = at[i + 1] as number;
      const stop = at[i + 2] as number;
      if (kind === RUN) {
        const lane = lanes[at[i + 3] as number] as PartLane;
        if (stop - from < shareFrom) lane.copy(buf, from, stop);
        else lane.share(buf, from, stop);
        continue;
      }
      if (kind === OPEN) opened.push(i);
      const opening = opened.at(-1) as number;
      const tag = (at[opening + 1] as number) * 8 + WIRE_LEN;
      const list = at[opening + 3] as number;
      for (let k = list; k < list + 2 * (at[opening + 4] as number); k += 2) {
        const lane = lanes[members[k] as number] as PartLane;
        if (kind === COMMON) {
          if (stop - from < shareFrom) lane.copy(buf, from, stop);
          else lane.share(buf, from, stop);
        } else if (opening > 0) lane.header(tag, members[k + 1] as number);
      }
    }
  }

  #lanesFor(charging: Hold['charging']): PartLane[] {
    let lanes = this.#lanes.get(charging);
    if (lanes === undefined) {
      lanes = [];
      this.#lanes.set(charging, lanes);
    }
    return lanes;
  }
}

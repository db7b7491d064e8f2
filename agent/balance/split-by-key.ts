import type { Signal } from '../config/settings.ts';
import { asBuffer } from '../otlp/view/attributes.ts';
import { position, readLength, readTag, skipField, varintSize, WIRE_LEN } from '../otlp/wire.ts';
import type { Hold } from '../runtime/chunk.ts';
import { CLOSE, COMMON, CutLog, ENTRY, OPEN, RUN } from './cut-log.ts';
import { countedLevel, isChild, itemsIn, LEVELS } from './levels.ts';
import type { Part } from './part.ts';
import { PartLane, SHARE_FROM_BYTES } from './part-lane.ts';
import { PartSteps } from './part-steps.ts';

/** Where a key belongs: an index that the caller gave the meaning of, from 0 and dense. The key lies in [from, end). */
export type Route = (key: Uint8Array, from: number, end: number) => number;

/** Says where a message goes as a whole, or -1 where its parts have to be asked. */
export interface Keyer {
  /** `field` is the one that led to the message. Called for every message on the way down, outermost first. */
  targetOf(level: number, field: number, buf: Uint8Array, from: number, end: number, route: Route): number;
}

/** What a request will be cut into: a part for each target. The first `count` numbers of each list are of meaning. */
export interface Plan {
  count: number;
  /** By part: where it goes, and what it will be. */
  readonly targets: number[];
  readonly bytes: number[];
  readonly items: number[];
}

/** A list that a hostile request has made longer is given back. */
const KEPT_MEMBERS = 64 * 1024;
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
/** What repeating something takes beside its bytes, while it is done: a step of each part (part-steps.ts). */
const STEP_BYTES = 16;

/**
 * Cuts a request by key on the wire: nothing is decoded but what the key is made of. Each target gets a request of its own; what lies
 * on the way to its items (resource, scope, schema URLs, unknown fields) is repeated for each, under new length headers. A message
 * whose items all go to one place stays whole.
 *
 *   request             ResourceX [Resource | ScopeX [Scope | span a | span b | span c]]          a, c -> 0    b -> 1
 *   target 0    hdr     ResourceX'[Resource | hdr ScopeX'[Scope | span a | span c]]
 *   target 1    hdr     ResourceX'[Resource | hdr ScopeX'[Scope | span b]]
 *
 * Four steps, nothing allocated for an item: walk (where does what lie, and where does it go), measure (who is in which message, and how
 * long that is), gather (what belongs to which target), write. Behind the second the caller may look whether there is room: nothing is
 * held yet.
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
  /** All lists below are used again from request to request: made anew for each, they cost as much as the walk. */
  #most = -1;
  /** By target: bytes that are copied and not shared, -1 where it has no part, and items. */
  #copied = new Float64Array(0);
  #items = new Float64Array(0);
  /** By depth, then target: bytes of the open message, -1 where it has none of that target. */
  #sizes: readonly Float64Array[] = [];
  /** By depth: the targets that are in the open message, and how many they are. */
  readonly #present: readonly number[][] = Array.from({ length: LEVELS }, () => []);
  readonly #presentCount = new Int32Array(LEVELS);
  /** Of each message that was closed: target and bytes, by turns. */
  #members: number[] = [];
  #membersEnd = 0;
  readonly #steps = new PartSteps();
  #hold: Hold | undefined;
  #laneOf: PartLane[] = [];
  readonly #plan: Plan = { count: 0, targets: [], bytes: [], items: [] };

  constructor(signal: Signal, keyer: Keyer) {
    this.#signal = signal;
    this.#keyer = keyer;
    this.#counted = countedLevel(signal);
  }

  /**
   * What `request`, which has so many items, is cut into; of meaning until the next one. A single part is the request itself: all of it
   * goes there, or nothing in it can be routed. `shares` is false for bytes that nobody holds: all is copied then. Throws on malformed bytes.
   */
  plan(request: Uint8Array, items: number, route: Route, shares = true): Plan {
    this.#buf = asBuffer(request);
    this.#route = route;
    this.#shareFrom = shares ? SHARE_FROM_BYTES : Number.POSITIVE_INFINITY;
    this.#log.clear();
    this.#most = -1;
    const plan = this.#plan;
    const target = this.#walk(0, 0, 0, request.length);
    if (target === MANY) {
      this.#measure(Math.max(MOST_TIMES * request.length, ALWAYS_BYTES));
      this.#planned();
    } else {
      plan.count = 1;
      plan.targets[0] = target === NONE ? route(request, 0, 0) : target;
      plan.bytes[0] = request.length;
      plan.items[0] = items;
    }
    return plan;
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
        if (target > this.#most) this.#most = target;
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
    const commonSteps: number[] = [];
    const copiedCommon: number[] = [];
    this.#clear();
    let mayRepeat = left;
    for (let i = 0; i < end; i += ENTRY) {
      const depth = opened.length - 1;
      switch (at[i]) {
        case OPEN:
          opened.push(i);
          common.push(0);
          commonSteps.push(0);
          copiedCommon.push(0);
          break;
        case COMMON: {
          const bytes = (at[i + 2] as number) - (at[i + 1] as number);
          common[depth] = (common[depth] as number) + bytes;
          commonSteps[depth] = (commonSteps[depth] as number) + 1;
          if (bytes < this.#shareFrom) copiedCommon[depth] = (copiedCommon[depth] as number) + bytes;
          break;
        }
        case RUN:
          this.#measureRun(i, depth, at[(opened[depth] as number) + 2] as number);
          break;
        default: {
          const shared = common.pop() as number;
          const opening = opened.pop() as number;
          mayRepeat -= (shared + STEP_BYTES * (commonSteps.pop() as number)) * ((this.#presentCount[depth] as number) - 1);
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
    const sizes = this.#sizes[depth] as Float64Array;
    const present = this.#present[depth] as number[];
    const count = this.#presentCount[depth] as number;
    const tagBytes = varintSize((at[opening + 1] as number) * 8 + WIRE_LEN);
    const members = this.#members;
    at[opening + 3] = this.#membersEnd;
    at[opening + 4] = count;
    for (let i = 0; i < count; i += 1) {
      const target = present[i] as number;
      const bytes = (sizes[target] as number) + common;
      sizes[target] = -1;
      members[this.#membersEnd] = target;
      members[this.#membersEnd + 1] = bytes;
      this.#membersEnd += 2;
      const header = depth === 0 ? 0 : tagBytes + varintSize(bytes);
      this.#copied[target] = (this.#copied[target] as number) + copiedCommon + header;
      if (depth > 0) this.#grow(depth - 1, target, header + bytes);
    }
    this.#presentCount[depth] = 0;
  }

  #grow(depth: number, target: number, bytes: number): void {
    const sizes = this.#sizes[depth] as Float64Array;
    const before = sizes[target] as number;
    if (before >= 0) {
      sizes[target] = before + bytes;
      return;
    }
    sizes[target] = bytes;
    const count = this.#presentCount[depth] as number;
    (this.#present[depth] as number[])[count] = target;
    this.#presentCount[depth] = count + 1;
  }

  /** All lists as they are before a request, also where the one before could not be cut. */
  #clear(): void {
    const targets = this.#most + 1;
    if (this.#copied.length < targets) {
      this.#copied = new Float64Array(targets);
      this.#items = new Float64Array(targets);
      this.#sizes = Array.from({ length: LEVELS }, () => new Float64Array(targets));
    }
    this.#copied.fill(0);
    this.#items.fill(0);
    for (const sizes of this.#sizes) sizes.fill(-1);
    this.#presentCount.fill(0);
    this.#membersEnd = 0;
    if (this.#members.length > KEPT_MEMBERS) this.#members = [];
  }

  /** The request itself was closed last, so that its members are the last ones. */
  #planned(): void {
    const plan = this.#plan;
    plan.count = 0;
    for (let k = this.#log.at[3] as number; k < this.#membersEnd; k += 2) {
      const target = this.#members[k] as number;
      plan.targets[plan.count] = target;
      plan.bytes[plan.count] = this.#members[k + 1] as number;
      plan.items[plan.count] = this.#items[target] as number;
      plan.count += 1;
    }
  }

  /** Begins to write what was planned last, where that are several parts; `hold` is the memory of the request. */
  begin(hold: Hold): void {
    this.#hold = hold;
    this.#laneOf = this.#lanesFor(hold.charging);
    this.#gather();
  }

  /** The part that was written last for the target of part `i`, where this one may follow it in memory. */
  lastBefore(i: number): Part | undefined {
    const bytes = this.#plan.bytes[i] as number;
    const target = this.#plan.targets[i] as number;
    return this.#copied[target] === bytes ? this.#laneOf[target]?.lastWithRoom(bytes) : undefined;
  }

  /** Writes part `i` behind the one that lastBefore() has named, as one with it. */
  extend(i: number): void {
    const target = this.#plan.targets[i] as number;
    const lane = this.#laneOf[target] as PartLane;
    lane.extend(this.#plan.bytes[i] as number);
    this.#writeInto(lane, target);
  }

  /** Writes part `i`. */
  write(i: number): Part {
    const { targets, bytes, items } = this.#plan;
    const target = targets[i] as number;
    const hold = this.#hold as Hold;
    this.#laneOf[target] ??= new PartLane(hold.charging);
    const lane = this.#laneOf[target] as PartLane;
    lane.begin(this.#copied[target] as number);
    this.#writeInto(lane, target);
    return lane.finish(target, bytes[i] as number, items[i] as number, hold);
  }

  /** All has been written. */
  end(): void {
    this.#hold = undefined;
    this.#buf = NOTHING;
  }

  /** What of the log belongs to which target. */
  #gather(): void {
    const { at, end } = this.#log;
    const members = this.#members;
    const steps = this.#steps;
    steps.clear(this.#copied.length);
    const opened: number[] = [];
    for (let i = 0; i < end; i += ENTRY) {
      const kind = at[i];
      const from = at[i + 1] as number;
      const stop = at[i + 2] as number;
      if (kind === RUN) {
        steps.range(at[i + 3] as number, from, stop);
        continue;
      }
      if (kind === CLOSE) {
        opened.pop();
        continue;
      }
      if (kind === OPEN) opened.push(i);
      const opening = opened.at(-1) as number;
      const tag = (at[opening + 1] as number) * 8 + WIRE_LEN;
      const list = at[opening + 3] as number;
      for (let k = list; k < list + 2 * (at[opening + 4] as number); k += 2) {
        if (kind === COMMON) steps.range(members[k] as number, from, stop);
        else if (opening > 0) steps.header(members[k] as number, tag, members[k + 1] as number);
      }
    }
  }

  #writeInto(lane: PartLane, target: number): void {
    const buf = this.#buf;
    const shareFrom = this.#shareFrom;
    const { next, from, end } = this.#steps;
    for (let step = this.#steps.first[target] as number; step >= 0; step = next[step] as number) {
      const at = from[step] as number;
      const stop = end[step] as number;
      if (at < 0) lane.header(-at, stop);
      else if (stop - at < shareFrom) lane.copy(buf, at, stop);
      else lane.share(buf, at, stop);
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

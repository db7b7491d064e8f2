import type { Accessor, KeyGetter } from '../access.ts';
import { OttlError } from '../errors.ts';

/** One name of a path with what is indexed in it, as a context takes it apart; see basePath in pkg/ottl/functions.go. */
export class Segment {
  readonly name: string;
  readonly at: number;
  readonly #keys: readonly KeyGetter[];
  readonly #next: Segment | undefined;
  #taken = false;
  #keysTaken = false;

  constructor(name: string, keys: readonly KeyGetter[], next: Segment | undefined, at: number) {
    this.name = name;
    this.#keys = keys;
    this.#next = next;
    this.at = at;
  }

  /** The keys; undefined where there are none. */
  keys(): readonly KeyGetter[] | undefined {
    this.#keysTaken = true;
    return this.#keys.length === 0 ? undefined : this.#keys;
  }

  next(): Segment | undefined {
    this.#next?.take();
    return this.#next;
  }

  error(message: string): OttlError {
    return new OttlError(message, this.at);
  }

  take(): this {
    this.#taken = true;
    return this;
  }

  /** Fails where a context did not use a name or its keys: the path says more than there is. */
  proveUsed(): void {
    if (!this.#taken) throw new OttlError(`nothing is called "${this.name}" here: the path ends before`, this.at);
    if (this.#keys.length > 0 && !this.#keysTaken) throw new OttlError(`"${this.name}" cannot be indexed`, this.at);
    this.#next?.proveUsed();
  }
}

/** What a context makes of the names behind its own. */
export type Paths = Readonly<Record<string, (segment: Segment) => Accessor>>;

/** The accessor of a path; an unknown name is an error that lists those there are. */
export function accessorIn(paths: Paths, segment: Segment, context: string): Accessor {
  const make = Object.hasOwn(paths, segment.name) ? paths[segment.name] : undefined;
  if (make === undefined) {
    throw new OttlError(`${context} has no "${segment.name}"; it has ${Object.keys(paths).join(', ')}`, segment.at);
  }
  return make(segment);
}

/** A path with names below it: `status.code`. `self` is the path without them. */
export function nested(self: (segment: Segment) => Accessor, inner: Paths): (segment: Segment) => Accessor {
  return (segment) => {
    const next = segment.next();
    return next === undefined ? self(segment) : accessorIn(inner, next, segment.name);
  };
}

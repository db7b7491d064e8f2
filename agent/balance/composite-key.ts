import type { Signal } from '../config/settings.ts';
import { decodeAnyValue } from '../otlp/view/any-value.ts';
import { anyValueAsString } from '../otlp/view/as-string.ts';
import { asBuffer } from '../otlp/view/attributes.ts';
import { ATTRIBUTES_OF, attributeText, attributeTextIn, fieldOf, numberOf, textOf } from './attributes.ts';
import { ITEM, POINT, RESOURCE, SCOPE } from './levels.ts';
import type { Keyer, Route } from './split-by-key.ts';

const SPAN_KINDS = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'];

/**
 * Attributes of resource, scope and item, the outermost that has one, as `name=value|name=value|`; a missing one is `name=|`. As soon as
 * all are found the parts below stay together.
 *
 * Two peculiarities of upstream are kept, as the place on the ring depends on them: traces have the attributes in the order in which
 * they are configured, logs and metrics those of the resource first, then those of the scope; and the spans of one trace in one scope
 * follow the first of them.
 */
export class CompositeKeyer implements Keyer {
  readonly #signal: Signal;
  readonly #names: readonly string[];
  readonly #keys: readonly Buffer[];
  /** Found on the way down, by index into names. */
  readonly #values: (string | undefined)[];
  /** What the resource alone has given, so that the next scope begins with it. */
  #atResource: readonly (string | undefined)[] = [];
  #order: number[] = [];
  #orderAtResource: readonly number[] = [];
  /** Where the first span of a trace went, within one scope. */
  readonly #traces = new Map<string, number>();

  constructor(signal: Signal, names: readonly string[]) {
    this.#signal = signal;
    this.#names = names;
    this.#keys = names.map((name) => Buffer.from(name));
    this.#values = names.map(() => undefined);
  }

  targetOf(level: number, field: number, buf: Uint8Array, from: number, end: number, route: Route): number {
    switch (level) {
      case RESOURCE:
        this.#values.fill(undefined);
        this.#order = [];
        this.#look((key) => attributeTextIn(buf, from, end, 1, ATTRIBUTES_OF.resource, key));
        this.#atResource = [...this.#values];
        this.#orderAtResource = [...this.#order];
        return this.#complete(route);
      case SCOPE:
        this.#atResource.forEach((value, i) => {
          this.#values[i] = value;
        });
        this.#order = [...this.#orderAtResource];
        this.#traces.clear();
        this.#look((key) => attributeTextIn(buf, from, end, 1, ATTRIBUTES_OF.scope, key));
        return this.#complete(route);
      case ITEM:
        if (this.#signal === 'metrics') return -1;
        return this.#signal === 'traces' ? this.#span(buf, from, end, route) : this.#record(buf, from, end, route);
      case POINT:
        return this.#last(
          (i) => attributeText(buf, from, end, ATTRIBUTES_OF.point[this.#dataField] as number, this.#keys[i] as Buffer),
          route,
        );
      default:
        this.#dataField = field;
        return -1;
    }
  }

  #dataField = 0;

  #span(buf: Uint8Array, from: number, end: number, route: Route): number {
    const id = fieldOf(buf, from, end, 1);
    const trace = id === undefined ? '' : asBuffer(buf).toString('latin1', id.from, id.end);
    const present = this.#traces.get(trace);
    if (present !== undefined) return present;
    const target = this.#last((i) => {
      const name = this.#names[i] as string;
      if (name === 'span.kind') return SPAN_KINDS[numberOf(buf, from, end, 6)] ?? '';
      if (name === 'span.name') return textOf(buf, from, end, 5);
      return attributeText(buf, from, end, ATTRIBUTES_OF.span, this.#keys[i] as Buffer);
    }, route);
    this.#traces.set(trace, target);
    return target;
  }

  #record(buf: Uint8Array, from: number, end: number, route: Route): number {
    return this.#last((i) => {
      const name = this.#names[i] as string;
      if (name === 'log.severity') return textOf(buf, from, end, 3);
      if (name === 'log.body') {
        const body = fieldOf(buf, from, end, 5);
        return body === undefined ? '' : anyValueAsString(decodeAnyValue(asBuffer(buf), body.from, body.end));
      }
      return attributeText(buf, from, end, ATTRIBUTES_OF.logRecord, this.#keys[i] as Buffer);
    }, route);
  }

  /** Asks for those that no level above had. */
  #look(value: (key: Buffer) => string | undefined): void {
    for (let i = 0; i < this.#names.length; i += 1) {
      if (this.#values[i] !== undefined) continue;
      const found = value(this.#keys[i] as Buffer);
      if (found === undefined) continue;
      this.#values[i] = found;
      this.#order.push(i);
    }
  }

  #complete(route: Route): number {
    if (this.#order.length < this.#names.length) return -1;
    return this.#routed((i) => this.#values[i], route);
  }

  /** The innermost level: what is not found here is missing. */
  #last(value: (i: number) => string | undefined, route: Route): number {
    return this.#routed((i) => this.#values[i] ?? value(i), route);
  }

  #routed(value: (i: number) => string | undefined, route: Route): number {
    const pending = this.#names.map((_, i) => i).filter((i) => !this.#order.includes(i));
    const order = this.#signal === 'traces' ? this.#names.map((_, i) => i) : [...this.#order, ...pending];
    const key = Buffer.from(order.map((i) => `${this.#names[i]}=${value(i) ?? ''}|`).join(''));
    return route(key, 0, key.length);
  }
}

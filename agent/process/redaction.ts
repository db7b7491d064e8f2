import { createHmac, hash } from 'node:crypto';
import { compileGoRegExp, type GoRegExp } from '../config/go-regexp.ts';
import type { Signal } from '../config/settings.ts';
import type { AnyValue } from '../otlp/view/any-value.ts';
import { anyValueAsString } from '../otlp/view/as-string.ts';
import type { AttributesView } from '../otlp/view/attributes.ts';
import { ItemWalk, type Visitor } from '../otlp/view/item-walk.ts';
import { LogView } from '../otlp/view/log.ts';
import type { MessageView } from '../otlp/view/message.ts';
import { MetricView } from '../otlp/view/metric.ts';
import { RequestView } from '../otlp/view/request.ts';
import { SpanView } from '../otlp/view/span.ts';
import { MalformedError } from '../otlp/wire.ts';
import type { Body, Processor } from './process.ts';
import type { RedactionSettings } from './redaction-config.ts';

/** Keys of what happened, for `summary`. */
interface Findings {
  readonly redacted: string[];
  readonly masked: string[];
  readonly allowed: string[];
  readonly ignored: string[];
}

/**
 * Processor `redaction`: removes attributes and masks values, of resources, scopes, spans and their events, data points and log records,
 * and in log bodies.
 * In:       a request. Out: the same with those attributes rewritten; what is not touched keeps its bytes.
 * May drop: nothing but attributes.
 * Counters: otelcol_processor_{incoming,outgoing}_items.
 * Decodes:  every text among the attributes, and log bodies; with redact_all_types every attribute. Resources and scopes in the tree of
 *           the request, then its items in one walk.
 * Bench:    test/bench/agent-processors
 */
export class RedactionProcessor implements Processor, Visitor {
  readonly keepsEmpty = true;
  readonly #settings: RedactionSettings;
  readonly #signal: Signal;
  readonly #walk: ItemWalk | undefined;
  /** Keys alone decide where there is no pattern for values. */
  readonly #looksAtValues: boolean;

  /** `walks` false: everything is done in the tree; for tests that compare the two ways. */
  constructor(settings: RedactionSettings, signal: Signal, walks = true) {
    this.#settings = settings;
    this.#signal = signal;
    this.#walk = walks && signal !== 'profiles' ? new ItemWalk(signal, this) : undefined;
    const { blockedValues, allowedValues, blockedKeyPatterns } = settings;
    this.#looksAtValues = blockedValues.length + allowedValues.length + blockedKeyPatterns.length > 0;
  }

  process(body: Body): Body | string {
    try {
      const view = new RequestView(this.#signal, body);
      for (const resource of view.resources) {
        this.#attributes(resource.attributes);
        for (const scope of resource.scopes) {
          this.#attributes(scope.attributes);
          if (this.#walk === undefined) for (const item of scope.items) this.item(item);
        }
      }
      const rest = view.toBody();
      return this.#walk?.run(rest) ?? rest;
    } catch (error) {
      if (error instanceof MalformedError) return `attributes cannot be read: ${error.message}`;
      throw error;
    }
  }

  resource(): boolean {
    return true;
  }

  scope(): boolean {
    return true;
  }

  item(item: MessageView): void {
    if (item instanceof SpanView) {
      this.#attributes(item.attributes);
      for (const event of item.events) this.#attributes(event.attributes);
    } else if (item instanceof MetricView) {
      for (const point of item.dataPoints) this.#attributes(point.attributes);
    } else if (item instanceof LogView) {
      this.#attributes(item.attributes);
      this.#body(item);
    }
  }

  /** processAttrs upstream: its order of questions decides what happens to an attribute that several rules mean. */
  #attributes(attributes: AttributesView): void {
    if (attributes.size === 0) return;
    const found: Findings = { redacted: [], masked: [], allowed: [], ignored: [] };
    const { length } = attributes;
    for (let i = 0; i < length; i += 1) {
      const key = attributes.keyAt(i);
      if (this.#ignores(key)) found.ignored.push(key);
      else if (this.#removes(key)) found.redacted.push(key);
      else if (this.#looksAtValues) {
        // Without redact_all_types everything else is compared as if it were the empty text.
        const text = attributes.textAt(i) ?? (this.#settings.redactAllTypes ? anyValueAsString(attributes.valueAt(i)) : '');
        const masked = this.#maskedText(key, text, found);
        if (masked !== undefined) attributes.setAt(i, masked);
      }
    }
    const removed = new Set(found.redacted);
    if (removed.size > 0) attributes.deleteIf((key) => removed.has(key));
    this.#summarize(attributes, '', found);
  }

  /** The new text of an attribute; undefined where it stays. */
  #maskedText(key: string, text: string, found: Findings): string | undefined {
    if (matchesAny(this.#settings.allowedValues, text)) {
      found.allowed.push(key);
      return undefined;
    }
    const whole = matchesAny(this.#settings.blockedKeyPatterns, key);
    const masked = whole ? this.#mask(text, everything()) : this.#maskValues(text);
    if (!whole && masked === text) return undefined;
    found.masked.push(key);
    return masked;
  }

  /** processLogBody upstream. */
  #body(log: LogView): void {
    const found: Findings = { redacted: [], masked: [], allowed: [], ignored: [] };
    const { body } = log;
    let redacted = body;
    if (body instanceof Map) redacted = this.#map('', body as ReadonlyMap<string, AnyValue>, found);
    else if (Array.isArray(body)) redacted = this.#list('', body as readonly AnyValue[], found);
    else {
      const text = anyValueAsString(body);
      // Upstream counts an allowed body that is no map and no list nowhere.
      if (matchesAny(this.#settings.allowedValues, text)) return;
      const masked = this.#maskValues(text);
      if (masked !== text) {
        found.masked.push('body');
        redacted = masked;
      }
    }
    if (redacted !== body) log.body = redacted;
    this.#summarize(log.attributes, 'body.', found);
  }

  /** The same map where nothing in it changes. */
  #map(path: string, map: ReadonlyMap<string, AnyValue>, found: Findings): ReadonlyMap<string, AnyValue> {
    const result = new Map<string, AnyValue>();
    const removed: string[] = [];
    let changed = false;
    for (const [key, value] of map) {
      const place = path + key;
      if (this.#ignores(key)) found.ignored.push(place);
      else if (this.#removes(key)) {
        removed.push(place);
        changed = true;
        continue;
      } else if (matchesAny(this.#settings.blockedKeyPatterns, key)) {
        found.masked.push(place);
        result.set(key, this.#mask(typeof value === 'string' ? value : '', everything()));
        changed = true;
        continue;
      } else {
        const inner = this.#value(place, value, found);
        changed ||= inner !== value;
        result.set(key, inner);
        continue;
      }
      result.set(key, value);
    }
    // Behind what lies deeper, as upstream removes them when the map is through.
    found.redacted.push(...removed);
    return changed ? result : map;
  }

  #list(path: string, list: readonly AnyValue[], found: Findings): readonly AnyValue[] {
    const result = list.map((each, i) => this.#value(`${path}[${i}]`, each, found));
    return result.some((each, i) => each !== list[i]) ? result : list;
  }

  #value(place: string, value: AnyValue, found: Findings): AnyValue {
    if (value instanceof Map) return this.#map(`${place}.`, value as ReadonlyMap<string, AnyValue>, found);
    if (Array.isArray(value)) return this.#list(`${place}.`, value as readonly AnyValue[], found);
    const text = anyValueAsString(value);
    if (matchesAny(this.#settings.allowedValues, text)) {
      found.allowed.push(place);
      return value;
    }
    const masked = this.#maskValues(text);
    if (masked === text) return value;
    found.masked.push(place);
    return masked;
  }

  #ignores(key: string): boolean {
    return this.#settings.ignoredKeys.has(key) || matchesAny(this.#settings.ignoredKeyPatterns, key);
  }

  #removes(key: string): boolean {
    return this.#settings.allowedKeys !== undefined && !this.#settings.allowedKeys.has(key);
  }

  /** One pattern after the other, in the order of the file; upstream's order is that of a Go map, which is any. */
  #maskValues(text: string): string {
    let masked = text;
    for (const pattern of this.#settings.blockedValues) if (pattern.test(masked)) masked = this.#mask(masked, pattern);
    return masked;
  }

  #mask(text: string, pattern: GoRegExp): string {
    return pattern.replaceEach(text, (at) => this.#hash(text.slice(at[0], at[1])));
  }

  #hash(text: string): string {
    const { hashFunction, hmacKey } = this.#settings;
    switch (hashFunction) {
      case '':
        return '****';
      case 'sha1':
      case 'md5':
        return hash(hashFunction, text, 'hex');
      case 'sha3':
        return hash('sha3-256', text, 'hex');
      default:
        return createHmac(hashFunction.slice('hmac-'.length), hmacKey).update(text).digest('hex');
    }
  }

  #summarize(attributes: AttributesView, place: '' | 'body.', found: Findings): void {
    if (this.#settings.summary === 'silent') return;
    this.#add(attributes, `redaction.${place}redacted`, found.redacted);
    this.#add(attributes, `redaction.${place}masked`, found.masked);
    this.#add(attributes, `redaction.${place}allowed`, found.allowed);
    this.#add(attributes, `redaction.${place}ignored`, found.ignored);
  }

  /** addMetaAttrs upstream: what an earlier redaction has written is added to. */
  #add(attributes: AttributesView, name: string, keys: string[]): void {
    if (keys.length === 0) return;
    if (this.#settings.summary === 'debug' && !name.endsWith('ignored')) {
      const before = attributes.get(`${name}.keys`);
      const all = typeof before === 'string' && before !== '' ? [...keys, ...before.split(',')] : keys;
      const sorted = all.map((key) => Buffer.from(key)).sort(Buffer.compare);
      attributes.set(`${name}.keys`, sorted.join(','));
    }
    const before = attributes.get(`${name}.count`);
    attributes.set(`${name}.count`, BigInt.asIntN(64, BigInt(keys.length) + (typeof before === 'bigint' ? before : 0n)));
  }
}

function matchesAny(patterns: readonly GoRegExp[], text: string): boolean {
  for (const pattern of patterns) if (pattern.test(text)) return true;
  return false;
}

/** Masks a whole value, line by line, as upstream's does. */
function everything(): GoRegExp {
  everyLine ??= compileGoRegExp('.*') as GoRegExp;
  return everyLine;
}

let everyLine: GoRegExp | undefined;

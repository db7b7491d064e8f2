import type { Signal } from '../config/settings.ts';
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
import { redactedBody } from './redaction-body.ts';
import type { RedactionSettings } from './redaction-config.ts';
import { RedactionRules } from './redaction-rules.ts';
import { Findings, summarize } from './redaction-summary.ts';

/**
 * Processor `redaction`: removes attributes and masks values, of resources, scopes, spans and their events, data points and log records,
 * and in log bodies.
 * In:       a request. Out: the same with those attributes rewritten; what is not touched keeps its bytes.
 * May drop: nothing but attributes.
 * Counters: otelcol_processor_{incoming,outgoing}_items.
 * Decodes:  the texts among the attributes that are long enough for a pattern, and log bodies; with redact_all_types every attribute.
 *           Resources and scopes in the tree of the request, then its items in one walk.
 * Bench:    test/bench/agent-processors
 */
export class RedactionProcessor implements Processor, Visitor {
  readonly keepsEmpty = true;
  readonly #settings: RedactionSettings;
  readonly #rules: RedactionRules;
  readonly #signal: Signal;
  readonly #walk: ItemWalk | undefined;
  readonly #found = new Findings();

  /** `walks` false: everything is done in the tree; for tests that compare the two ways. */
  constructor(settings: RedactionSettings, signal: Signal, walks = true) {
    this.#settings = settings;
    this.#rules = new RedactionRules(settings);
    this.#signal = signal;
    this.#walk = walks && signal !== 'profiles' ? new ItemWalk(signal, this) : undefined;
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
    const { length } = attributes;
    if (length === 0) return;
    const found = this.#found;
    const { looksAtKeys, looksAtValues, leastBytes, verdict: verdictOf } = this.#rules;
    found.clear();
    for (let i = 0; i < length; i += 1) {
      const verdict = looksAtKeys ? verdictOf(attributes.keyAt(i)) : 'looked at';
      if (verdict === 'ignored') found.ignored.push(attributes.keyAt(i));
      else if (verdict === 'removed') {
        found.redacted.push(attributes.keyAt(i));
        attributes.removeAt(i);
      } else if (looksAtValues && (verdict === 'masked' || !attributes.isTextBelow(i, leastBytes))) {
        this.#value(attributes, i, verdict === 'masked');
      }
    }
    summarize(attributes, '', found, this.#settings.summary);
  }

  #value(attributes: AttributesView, i: number, isMasked: boolean): void {
    // Without redact_all_types everything else is compared as if it were the empty text.
    const text = attributes.textAt(i) ?? (this.#settings.redactAllTypes ? anyValueAsString(attributes.valueAt(i)) : '');
    if (this.#rules.allows(text)) {
      this.#found.allowed.push(attributes.keyAt(i));
      return;
    }
    const masked = isMasked ? this.#rules.maskAll(text) : this.#rules.maskValues(text);
    if (!isMasked && masked === text) return;
    this.#found.masked.push(attributes.keyAt(i));
    attributes.setAt(i, masked);
  }

  #body(log: LogView): void {
    const found = this.#found;
    found.clear();
    const { body } = log;
    const redacted = redactedBody(body, this.#rules, found);
    // A value that another one of its key hides is looked at by nobody here, and read by some.
    if (redacted !== body || !log.bodyIsWhole) log.body = redacted;
    summarize(log.attributes, 'body.', found, this.#settings.summary);
  }
}

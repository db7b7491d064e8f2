import type { Signal } from '../config/settings.ts';
import type { WalkedItem } from '../otlp/view/item-walk.ts';
import type { LogView } from '../otlp/view/log.ts';
import type { MetricView } from '../otlp/view/metric.ts';
import { RequestView, type ResourceView, type ScopeView } from '../otlp/view/request.ts';
import type { SpanView } from '../otlp/view/span.ts';
import { MalformedError } from '../otlp/wire.ts';
import type { ContextName } from '../ottl/contexts/contexts.ts';
import { Failures, Refusal } from '../ottl/failures.ts';
import { Item } from '../ottl/item.ts';
import { Conditions } from '../ottl/run.ts';
import type { ProcessorHost } from './create-processor.ts';
import { FilterBytes } from './filter-bytes.ts';
import type { FilterPass, FilterSettings } from './filter-config.ts';
import { hasAll, matchesLog, matchesMetric, matchesSpan } from './filter-match.ts';
import type { Match } from './filter-match-config.ts';
import { canWalk, FilterWalk, type Pass } from './filter-walk.ts';
import { type Body, type Metadata, type Processor, ProcessorRefusal } from './process.ts';

/**
 * Processor `filter`: drops what meets a condition.
 * In:       a request. Out: the rest of it; the very bytes where nothing is dropped. Nothing goes on where no resource is left.
 * May drop: that is its work: spans, data points, log records by its conditions, and with each pass scopes, resources and metrics that
 *           are empty, also those that came empty, as upstream.
 * Counters: otelcol_processor_{incoming,outgoing}_items, otelcol_processor_filter_{spans,datapoints,logs}_filtered,
 *           otlp_agent_processor_failures.
 * Bytes:    of spans and log records most conditions are asked of the bytes (filter-bytes.ts); else it decodes what they name and no more,
 *           in one walk over the items (filter-walk.ts), or in the tree of the request.
 * Bench:    test/bench/agent-processors
 */
export class FilterProcessor implements Processor {
  readonly #signal: Signal;
  readonly #passes: readonly Pass[];
  readonly #bytes: FilterBytes | undefined;
  readonly #walk: FilterWalk | undefined;
  readonly #counters: ProcessorHost['counters'];

  /** `way`: what is asked first; for tests that compare the three. */
  constructor(
    settings: FilterSettings,
    signal: Signal,
    host: Pick<ProcessorHost, 'log' | 'counters'>,
    way: 'bytes' | 'walk' | 'tree' = 'bytes',
  ) {
    this.#signal = signal;
    this.#counters = host.counters;
    const failures = new Failures(host.log, settings.id, () => {
      host.counters.failures += 1;
    });
    const passes = signal === 'profiles' ? [] : settings.passes[signal];
    this.#passes = passes
      .map((pass) => (pass.kind === 'conditions' ? new ConditionPass(pass, failures) : matchPass(pass, signal)))
      .filter((pass) => pass !== undefined);
    this.#walk = way === 'tree' || signal === 'profiles' || !canWalk(this.#passes) ? undefined : new FilterWalk(signal, this.#passes);
    this.#bytes =
      way === 'bytes' && (signal === 'traces' || signal === 'logs') ? FilterBytes.of(settings.passes[signal], signal) : undefined;
  }

  process(body: Body, metadata: Metadata | undefined): Body | string | ProcessorRefusal {
    if (this.#passes.length === 0) return body;
    const rest = this.#bytes?.process(body, metadata);
    if (rest === undefined) return this.#byViews(body, metadata);
    this.#counters.filtered += body.items - rest.items;
    return rest;
  }

  #byViews(body: Body, metadata: Metadata | undefined): Body | string | ProcessorRefusal {
    try {
      const rest = this.#walk?.run(body, metadata) ?? this.#inTree(body, metadata);
      this.#counters.filtered += body.items - rest.items;
      return rest;
    } catch (error) {
      if (error instanceof Refusal) return new ProcessorRefusal(error.message);
      if (error instanceof MalformedError) return error.message;
      throw error;
    }
  }

  #inTree(body: Body, metadata: Metadata | undefined): Body {
    const request = new RequestView(this.#signal, body);
    const item = new Item(metadata);
    for (const pass of this.#passes) dropIn(request, pass, item);
    return request.toBody();
  }
}

/** The order of upstream's RemoveIf: what surrounds first, and at the end everything that is empty. */
function dropIn(request: RequestView, pass: Pass, item: Item): void {
  for (const resource of request.resources) {
    item.resource = resource;
    if (pass.dropsResource?.(item) === true) {
      resource.remove();
      continue;
    }
    if (pass.dropsScope !== undefined || pass.dropsItem !== undefined) dropInResource(resource, pass, item);
    if (resource.scopes.length === 0) resource.remove();
  }
}

function dropInResource(resource: ResourceView, pass: Pass, item: Item): void {
  for (const scope of resource.scopes) {
    item.scope = scope;
    if (pass.dropsScope?.(item) === true) {
      scope.remove();
      continue;
    }
    const { dropsItem } = pass;
    if (dropsItem !== undefined) for (const each of scope.items) if (dropsItem(each as WalkedItem, item)) (each as WalkedItem).remove();
    if (scope.items.length === 0) scope.remove();
  }
}

/** A pass of OTTL conditions. */
class ConditionPass implements Pass {
  readonly dropsResource: Pass['dropsResource'];
  readonly dropsScope: Pass['dropsScope'];
  readonly dropsItem: Pass['dropsItem'];

  constructor({ conditions, style, errorMode }: FilterPass & { readonly kind: 'conditions' }, failures: Failures) {
    const testOf = (context: ContextName): ((item: Item) => boolean) | undefined => {
      const texts = conditions[context];
      if (texts === undefined) return undefined;
      const compiled = new Conditions(texts, context, style, errorMode, failures);
      return (item) => compiled.test(item);
    };
    this.dropsResource = testOf('resource');
    this.dropsScope = testOf('scope');
    this.dropsItem =
      spanTest(testOf('span'), testOf('spanevent')) ?? metricTest(testOf('metric'), testOf('datapoint')) ?? logTest(testOf('log'));
  }
}

type Test = ((item: Item) => boolean) | undefined;

function spanTest(span: Test, event: Test): Pass['dropsItem'] {
  if (span === undefined && event === undefined) return undefined;
  return (each, item) => {
    item.span = each as SpanView;
    if (span?.(item) === true) return true;
    if (event === undefined) return false;
    for (const one of item.span.events) {
      item.event = one;
      if (event(item)) one.remove();
    }
    return false;
  };
}

function metricTest(metric: Test, point: Test): Pass['dropsItem'] {
  if (metric === undefined && point === undefined) return undefined;
  return (each, item) => {
    item.metric = each as MetricView;
    if (metric?.(item) === true) return true;
    if (point === undefined || item.metric.type === 'none') return false;
    for (const one of item.metric.dataPoints) {
      item.point = one;
      if (point(item)) one.remove();
    }
    return item.metric.dataPoints.length === 0;
  };
}

function logTest(log: Test): Pass['dropsItem'] {
  if (log === undefined) return undefined;
  return (each, item) => {
    item.log = each as LogView;
    return log(item);
  };
}

/** A pass of include and exclude: what is not included goes, and what is excluded. */
function matchPass({ include, exclude }: FilterPass & { readonly kind: 'match' }, signal: Signal): Pass | undefined {
  const drops = (matches: (match: Match) => boolean): boolean =>
    (include !== undefined && !matches(include)) || (exclude !== undefined && matches(exclude));
  if (signal === 'traces') {
    return {
      dropsItem: (each, { scope, resource }) =>
        drops((match) => matchesSpan(match, each as SpanView, scope as ScopeView, resource as ResourceView)),
    };
  }
  if (signal === 'logs')
    return { dropsItem: (each, { resource }) => drops((match) => matchesLog(match, each as LogView, resource as ResourceView)) };
  const matches = [include, exclude].filter((match) => match !== undefined);
  // A section that says nothing about resources, or about metrics, has no part in that question.
  const byResource = matches.some((match) => match.resource.length > 0);
  const byName = matches.some((match) => match.names !== undefined);
  const asks = (match: Match | undefined, ofResource: boolean): match is Match =>
    match !== undefined && (ofResource ? match.resource.length > 0 : match.names !== undefined);
  const dropsMetric = (metric: MetricView): boolean =>
    (asks(include, false) && !matchesMetric(include, metric)) || (asks(exclude, false) && matchesMetric(exclude, metric));
  const dropsResource = ({ attributes }: ResourceView): boolean =>
    (asks(include, true) && !hasAll(include.resource, attributes)) || (asks(exclude, true) && hasAll(exclude.resource, attributes));
  if (!byResource && !byName) return undefined;
  return {
    ...(byResource ? { dropsResource: ({ resource }) => dropsResource(resource as ResourceView) } : {}),
    ...(byName ? { dropsItem: (each) => dropsMetric(each as MetricView) } : {}),
  };
}

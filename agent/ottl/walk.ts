import type { LogView } from '../otlp/view/log.ts';
import type { MetricView } from '../otlp/view/metric.ts';
import type { RequestView } from '../otlp/view/request.ts';
import type { SpanView } from '../otlp/view/span.ts';
import type { ContextName } from './contexts/contexts.ts';
import type { Item } from './item.ts';

/** Visits everything that a context is about, in its order, with `item` set to it and to what it lies in. */
export function eachOf(request: RequestView, context: ContextName, item: Item, visit: (item: Item) => void): void {
  for (const resource of request.resources) {
    item.resource = resource;
    if (context === 'resource') {
      visit(item);
      continue;
    }
    for (const scope of resource.scopes) {
      item.scope = scope;
      if (context === 'scope') {
        visit(item);
        continue;
      }
      for (const each of scope.items) visitItem(each as SpanView | MetricView | LogView, context, item, visit);
    }
  }
}

/** The same in one span, metric or log record, whose surroundings `item` has already. */
export function visitItem(each: SpanView | MetricView | LogView, context: ContextName, item: Item, visit: (item: Item) => void): void {
  switch (context) {
    case 'span':
      item.span = each as SpanView;
      visit(item);
      return;
    case 'spanevent': {
      item.span = each as SpanView;
      for (const event of item.span.events) {
        item.event = event;
        visit(item);
      }
      return;
    }
    case 'metric':
      item.metric = each as MetricView;
      visit(item);
      return;
    case 'datapoint':
      item.metric = each as MetricView;
      for (const point of item.metric.dataPoints) {
        item.point = point;
        visit(item);
      }
      return;
    case 'log':
      item.log = each as LogView;
      visit(item);
      return;
    case 'resource':
    case 'scope':
  }
}

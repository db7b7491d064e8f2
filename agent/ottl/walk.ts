import type { LogView } from '../otlp/view/log.ts';
import type { MetricView } from '../otlp/view/metric.ts';
import type { RequestView } from '../otlp/view/request.ts';
import type { SpanView } from '../otlp/view/span.ts';
import type { ContextName } from './contexts/contexts.ts';
import type { Item } from './item.ts';

/** Visits everything that a context is about, in its order, with `item` set to it and to what it lies in. */
export function eachOf(request: RequestView, context: ContextName, item: Item, visit: () => void): void {
  for (const resource of request.resources) {
    item.resource = resource;
    if (context === 'resource') {
      visit();
      continue;
    }
    for (const scope of resource.scopes) {
      item.scope = scope;
      if (context === 'scope') {
        visit();
        continue;
      }
      for (const each of scope.items) visitItem(each as SpanView | MetricView | LogView, context, item, visit);
    }
  }
}

function visitItem(each: SpanView | MetricView | LogView, context: ContextName, item: Item, visit: () => void): void {
  switch (context) {
    case 'span':
      item.span = each as SpanView;
      visit();
      return;
    case 'spanevent': {
      item.span = each as SpanView;
      for (const event of item.span.events) {
        item.event = event;
        visit();
      }
      return;
    }
    case 'metric':
      item.metric = each as MetricView;
      visit();
      return;
    case 'datapoint':
      item.metric = each as MetricView;
      for (const point of item.metric.dataPoints) {
        item.point = point;
        visit();
      }
      return;
    case 'log':
      item.log = each as LogView;
      visit();
      return;
    case 'resource':
    case 'scope':
  }
}

/** The shop's data, in memory. Every step is a span of its own, so that a trace shows where the time went. */
import { type Attributes, SpanStatusCode, trace } from '@opentelemetry/api';
import { HttpError } from '../http/router.ts';

export interface Order {
  readonly id: string;
  readonly item: string;
  readonly quantity: number;
  readonly totalCents: number;
}

export interface Shop {
  list(): Promise<Order[]>;
  /** Throws HttpError 404. */
  find(id: string): Promise<Order>;
  /** Throws HttpError 404 for an unknown item, 409 when the stock is too low. */
  order(item: string, quantity: number): Promise<Order>;
}

/** The newest orders are kept, so that load cannot fill the memory. */
const MAX_ORDERS = 1000;
const CATALOGUE: { readonly [item: string]: { priceCents: number; stock: number } } = {
  book: { priceCents: 1999, stock: Number.POSITIVE_INFINITY },
  lamp: { priceCents: 4550, stock: Number.POSITIVE_INFINITY },
  poster: { priceCents: 900, stock: 3 },
};

export function createShop(): Shop {
  const orders = new Map<string, Order>([['1', { id: '1', item: 'book', quantity: 1, totalCents: 1999 }]]);
  const stock = new Map(Object.entries(CATALOGUE).map(([item, { stock: amount }]) => [item, amount]));
  let last = 1;
  return {
    list: () => step('orders.list', {}, () => [...orders.values()].slice(-20)),
    find: (id) =>
      step('orders.find', { 'order.id': id }, () => {
        const order = orders.get(id);
        if (!order) throw new HttpError(404, `no order ${id}`);
        return order;
      }),
    order: async (item, quantity) => {
      const price = await step('catalogue.price', { 'order.item': item }, () => {
        const known = CATALOGUE[item];
        if (!known) throw new HttpError(404, `no item '${item}'; there are ${Object.keys(CATALOGUE).join(', ')}`);
        return known.priceCents;
      });
      await step('stock.reserve', { 'order.item': item, 'order.quantity': quantity }, () => {
        const left = stock.get(item) ?? 0;
        if (left < quantity) throw new HttpError(409, `only ${left} of '${item}' left, wanted ${quantity}`);
        stock.set(item, left - quantity);
      });
      return step('orders.store', { 'order.total_cents': price * quantity }, () => {
        const order = { id: String(++last), item, quantity, totalCents: price * quantity };
        orders.set(order.id, order);
        if (orders.size > MAX_ORDERS) orders.delete(orders.keys().next().value as string);
        return order;
      });
    },
  };
}

/** A child span of the request; what is thrown ends it, and is an error of the span unless it is the caller's fault. */
export function step<T>(name: string, attributes: Attributes, work: () => T | Promise<T>): Promise<T> {
  return trace.getTracer('shop').startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work();
    } catch (error) {
      span.recordException(error as Error);
      if (!(error instanceof HttpError) || error.status >= 500)
        span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** The HTTP API of the shop, with two routes to try an observability stack on: /api/slow and /api/fail. */
import { setTimeout as wait } from 'node:timers/promises';
import { metrics } from '@opentelemetry/api';
import { HttpError, type Route } from '../http/router.ts';
import { createShop, step } from './orders.ts';

const MAX_SLOW_MS = 30_000;
const MAX_QUANTITY = 1000;

export function shopRoutes(about: { readonly service: string; readonly version: string }): Route[] {
  const shop = createShop();
  const ordered = metrics.getMeter('shop').createCounter('shop.orders', { unit: '{order}', description: 'Orders placed, by item.' });
  const routes: Route[] = [
    {
      method: 'GET',
      path: '/',
      handle: () => ({ status: 200, body: { ...about, routes: routes.map(({ method, path }) => `${method} ${path}`) } }),
    },
    { method: 'GET', path: '/api/orders', handle: async () => ({ status: 200, body: await shop.list() }) },
    { method: 'GET', path: '/api/orders/:id', handle: async ({ params }) => ({ status: 200, body: await shop.find(params.id ?? '') }) },
    {
      method: 'POST',
      path: '/api/orders',
      handle: async (request) => {
        const { item, quantity } = await step('order.validate', {}, async () => orderOf(await request.json()));
        const order = await shop.order(item, quantity);
        ordered.add(1, { 'order.item': item });
        return { status: 201, body: order };
      },
    },
    {
      method: 'GET',
      path: '/api/slow',
      handle: async ({ query }) => {
        const ms = wholeNumber(query.get('ms') ?? '250', 'ms', 0, MAX_SLOW_MS);
        await step('warehouse.wait', { 'warehouse.wait_ms': ms }, () => wait(ms));
        return { status: 200, body: { waitedMs: ms } };
      },
    },
    {
      method: 'GET',
      path: '/api/fail',
      handle: ({ query }) => {
        const status = wholeNumber(query.get('status') ?? '500', 'status', 500, 599);
        return step('payment.charge', {}, () => {
          throw new HttpError(status, 'the payment provider does not answer (asked for by /api/fail)');
        });
      },
    },
  ];
  return routes;
}

function orderOf(body: unknown): { item: string; quantity: number } {
  const { item, quantity = 1 } = (typeof body === 'object' && body !== null ? body : {}) as { item?: unknown; quantity?: unknown };
  if (typeof item !== 'string') throw new HttpError(400, 'item is missing; send for instance {"item":"book","quantity":2}');
  return { item, quantity: wholeNumber(String(quantity), 'quantity', 1, MAX_QUANTITY) };
}

function wholeNumber(text: string, name: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new HttpError(400, `${name} is '${text}'; expected a whole number from ${min} to ${max}`);
}

import type { Signal } from '../../../agent/config/settings.ts';
import { type TopField, topFields } from '../../../agent/otlp/wire.ts';

const LEN_1 = 10;
const LEN_2 = 18;
const GAUGE = 42;

/**
 * The items of a request, each as the bytes that came over the wire: spans and log records whole, data points with the name of their
 * metric in front, profiles whole. What a batch or a cut may change, envelopes, is not in it.
 */
export function itemBytes(signal: Signal, body: Buffer): string[] {
  if (signal === 'profiles') return [body.toString('base64')];
  const found: string[] = [];
  for (const resource of within(body, whole(body), LEN_1)) {
    for (const scope of within(body, resource, LEN_2)) {
      for (const item of within(body, scope, LEN_2)) {
        if (signal !== 'metrics') found.push(text(body, item));
        else {
          const name = within(body, item, LEN_1).map((field) => text(body, field));
          for (const gauge of within(body, item, GAUGE))
            for (const point of within(body, gauge, LEN_1)) found.push(`${name}:${text(body, point)}`);
        }
      }
    }
  }
  return found;
}

type Range = Pick<TopField, 'bodyStart' | 'end'>;

const whole = (body: Buffer): Range => ({ bodyStart: 0, end: body.length });

function within(body: Buffer, { bodyStart, end }: Range, tag: number): TopField[] {
  return topFields(body, bodyStart, end).filter((field) => field.tag === tag);
}

function text(body: Buffer, { bodyStart, end }: Range): string {
  return body.toString('base64', bodyStart, end);
}

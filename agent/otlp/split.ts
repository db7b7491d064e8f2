import type { Signal } from '../config/settings.ts';
import type { Piece } from '../runtime/chunk.ts';
import { countResource, type TopField, topFields } from './wire.ts';

/**
 * Cuts a request that is larger than a batch may be, between two ResourceX and nowhere deeper: a single resource above the maximum stays
 * whole. Going into it would mean writing resource and scope again for each piece; that is left to the hop that needs it.
 * Profiles are never cut, as all parts need the one dictionary.
 */
export function splitRequest(signal: Signal, slices: readonly Uint8Array[], max: number, measure: 'items' | 'bytes'): Piece[] {
  const request = slices.length === 1 ? (slices[0] as Uint8Array) : Buffer.concat(slices);
  if (signal === 'profiles') return [{ slices: [request], bytes: request.length, items: countAll(signal, request) }];
  const pieces: Piece[] = [];
  let start = 0;
  let end = 0;
  let items = 0;
  for (const field of topFields(request)) {
    const more = countField(signal, request, field);
    const size = measure === 'items' ? items + more : field.end - start;
    if (end > start && size > max) {
      pieces.push({ slices: [request.subarray(start, end)], bytes: end - start, items });
      start = field.start;
      items = 0;
    }
    items += more;
    end = field.end;
  }
  pieces.push({ slices: [request.subarray(start, end)], bytes: end - start, items });
  return pieces;
}

function countField(signal: Signal, request: Uint8Array, field: TopField): number {
  return field.tag === 10 ? countResource(signal, request, field.bodyStart, field.end) : 0;
}

function countAll(signal: Signal, request: Uint8Array): number {
  let items = 0;
  for (const field of topFields(request)) items += countField(signal, request, field);
  return items;
}

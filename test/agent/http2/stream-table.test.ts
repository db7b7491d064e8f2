import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Connection } from '../../../agent/http2/connection.ts';
import { Stream } from '../../../agent/http2/stream.ts';
import { StreamTable } from '../../../agent/http2/stream-table.ts';
import { OPTIONS, ScriptWire } from './script-wire.ts';

const events = { stream: () => undefined, ready: () => {}, ping: () => {}, fault: () => {}, closed: () => {} };
const connection = new Connection(new ScriptWire(), OPTIONS, events);
const head = { headers: {}, contentLength: -1, malformed: false, tooLarge: false };

it('holds what a Map holds, whatever comes and goes, rows of one slot among it', () => {
  // Ids that differ by 32 want the same slot of the first table, by 2048 of the next ones as well.
  const id = fc.oneof(
    fc.nat({ max: 60 }).map((n) => 2 * n + 1),
    fc.nat({ max: 60 }).map((n) => 2048 * n + 1),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), id), { maxLength: 300 }), (steps) => {
      const table = new StreamTable();
      const map = new Map<number, Stream>();
      for (const [adds, one] of steps) {
        expect(table.get(one)).toBe(map.get(one));
        if (adds && !map.has(one)) {
          const stream = new Stream(connection, one, head);
          table.add(stream);
          map.set(one, stream);
        } else if (!adds) {
          table.remove(one);
          map.delete(one);
        }
      }
      expect(table.size).toBe(map.size);
      expect(new Set(table.all())).toEqual(new Set(map.values()));
      for (const [one, stream] of map) expect(table.get(one)).toBe(stream);
    }),
    { numRuns: 500 },
  );
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DROP, EDIT, editItems, type ItemEditor, KEEP } from '../../../agent/otlp/edit-items.ts';
import { scan } from '../../../agent/otlp/wire.ts';
import type { Body } from '../../../agent/process/process.ts';
import { decode, encode, type Message } from '../kit/otlp.ts';

/** Drops names that begin with `d`, writes `!` behind those that begin with `e`, keeps the rest. */
class ByName implements ItemEditor {
  readonly growth: number;

  constructor(growth = 1) {
    this.growth = growth;
  }

  decide(buf: Uint8Array, from: number, end: number): number {
    if (end - from < 3) return KEEP;
    const first = buf[from + 2];
    return first === 0x64 ? DROP : first === 0x65 ? EDIT : KEEP;
  }

  /** Span.name = 5, of less than 127 bytes. */
  write(buf: Uint8Array, from: number, end: number, out: Buffer, at: number): number {
    out.set(buf.subarray(from, end), at);
    out[at + 1] = (buf[from + 1] as number) + 1;
    out[at + end - from] = 0x21;
    return at + end - from + 1;
  }
}

const bodyOf = (bytes: Buffer, items: number): Body => ({ slices: [bytes], bytes: bytes.length, items });

function request(shape: readonly (readonly (readonly string[])[])[]): Buffer {
  const resourceSpans = shape.map((scopes, r) => ({
    resource: { attributes: [{ key: 'r', value: { intValue: r } }] },
    scopeSpans: scopes.map((names, s) => ({ scope: { name: `s${s}` }, spans: names.map((name) => ({ name })), schemaUrl: 'u' })),
    schemaUrl: 'v',
  }));
  return encode('traces', { resourceSpans });
}

/** The same by protobufjs. */
function expected(bytes: Buffer): Message[] {
  const lists = (value: unknown): Message[] => (value ?? []) as Message[];
  return lists(decode('traces', bytes).resourceSpans)
    .map((resource) => ({
      ...resource,
      scopeSpans: lists(resource.scopeSpans)
        .map((scope) => ({
          ...scope,
          spans: lists(scope.spans)
            .filter(({ name }) => !String(name).startsWith('d'))
            .map((span) => (String(span.name).startsWith('e') ? { ...span, name: `${String(span.name)}!` } : span)),
        }))
        .filter(({ spans }) => spans.length > 0),
    }))
    .filter(({ scopeSpans }) => scopeSpans.length > 0);
}

const names = fc
  .tuple(fc.constantFrom('d', 'e', 'k'), fc.integer({ min: 0, max: 120 }))
  .map(([first, length]) => first + 'x'.repeat(length));
const shapes = fc.array(fc.array(fc.array(names, { maxLength: 40 }), { maxLength: 3 }), { maxLength: 3 });

describe('editing the items of a request', () => {
  it('drops, edits and keeps, as decoding and encoding would, whatever the lengths grow or shrink to', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const bytes = request(shape);
        const all = shape.flat(2).length;
        const edited = editItems(bodyOf(bytes, all), bytes, new ByName());
        if (typeof edited === 'string') throw new Error(edited);
        const out = Buffer.concat(edited.slices);
        expect(edited.bytes).toBe(out.length);
        expect(scan('traces', out)).toMatchObject({ ok: true, items: edited.items });
        expect(decode('traces', out).resourceSpans ?? []).toEqual(expected(bytes));
      }),
    );
  });

  it('gives the very body back where nothing changes', () => {
    const bytes = request([[['k', 'kk']], [['k']]]);
    const body = bodyOf(bytes, 3);
    expect(editItems(body, bytes, new ByName())).toBe(body);
  });

  it('does not hold the memory of what was dropped', () => {
    const bytes = request([[[...Array.from({ length: 500 }, () => 'd'.repeat(100)), 'k']]]);
    const edited = editItems(bodyOf(bytes, 501), bytes, new ByName());
    if (typeof edited === 'string') throw new Error(edited);
    expect(edited.slices[0]?.buffer.byteLength).toBeLessThan(10_000);
  });

  it('fails an editor that takes more room than it says', () => {
    const bytes = request([[Array.from({ length: 50 }, () => 'e')]]);
    expect(editItems(bodyOf(bytes, 0), bytes, new ByName(0))).toMatch(/items cannot be read/);
  });

  it('fails a request that the edits would make many times larger', () => {
    const bytes = request([[Array.from({ length: 300_000 }, () => 'e')]]);
    const bloat: ItemEditor = {
      growth: 300,
      decide: () => EDIT,
      write: (_buf, _from, _end, out, at) => out.fill(0, at, at + 300) && at + 300,
    };
    const before = process.memoryUsage().arrayBuffers;
    expect(editItems(bodyOf(bytes, 300_000), bytes, bloat)).toMatch(/so many tiny items/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20e6);
  });

  it('fails malformed bytes with a reason, never with an exception', () => {
    const good = request([[['e', 'd', 'k']]]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat({ max: good.length }), (noise, cut) => {
        const bytes = Buffer.concat([good.subarray(0, cut), noise]);
        const edited = editItems(bodyOf(bytes, 10), bytes, new ByName(300));
        if (typeof edited !== 'string') expect(edited.bytes).toBe(Buffer.concat(edited.slices).length);
      }),
      { numRuns: 2000 },
    );
  });
});

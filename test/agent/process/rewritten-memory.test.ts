import { describe, expect, it } from 'vitest';
import type { ProcessorSettings } from '../../../agent/config/settings.ts';
import { finish, post, startAgent, until } from '../kit/agent.ts';
import { decode, encode, type Message } from '../kit/otlp.ts';
import { grpcExporter, PATHS } from '../kit/settings.ts';
import { grpcSink, type Received } from '../kit/sink.ts';
import { processorSettings } from '../ottl/support.ts';

const REQUESTS = 60;
const SPANS = 120;

/** Spans of some 400 bytes that all say which request they are of. */
function large(mark: number): Buffer {
  const spans = Array.from({ length: SPANS }, (_, i) => ({
    name: `${mark}-${i}`,
    attributes: [{ key: 'note', value: { stringValue: String.fromCharCode(97 + (mark % 26)).repeat(350) } }],
  }));
  return encode('traces', { resourceSpans: [{ resource: { attributes: [] }, scopeSpans: [{ spans }] }] });
}

interface Spans {
  readonly resourceSpans?: { readonly scopeSpans: { readonly spans: { readonly name: string; readonly attributes: Message[] }[] }[] }[];
}

/** Names of all spans that arrived whole, with the text of their own request and the attribute that was added. */
function whole(received: readonly Received[]): string[] {
  return received.flatMap(({ body }) =>
    ((decode('traces', body) as Spans).resourceSpans ?? []).flatMap(({ scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) =>
        spans.map(({ name, attributes }) => {
          const [note, added] = attributes as { readonly key: string; readonly value: { readonly stringValue: string } }[];
          const letter = String.fromCharCode(97 + (Number.parseInt(name, 10) % 26));
          expect(note?.value.stringValue).toBe(letter.repeat(350));
          expect(added).toEqual({ key: 'added', value: { stringValue: 'yes' } });
          return name;
        }),
      ),
    ),
  );
}

describe('memory of rewritten requests, used again', () => {
  it('every exporter gets every request whole, also one that is slow and refuses now and then', async () => {
    const quick = await grpcSink();
    let calls = 0;
    const slow = await grpcSink(async () => {
      calls += 1;
      if (calls % 3 === 0) return { code: 14 };
      await new Promise((resolve) => setTimeout(resolve, 20));
      return undefined;
    });
    const own = processorSettings('attributes', '{actions: [{key: added, value: "yes", action: upsert}]}', ['traces']);
    const running = await startAgent({
      exporters: [grpcExporter(quick.port, { id: 'otlp_grpc/quick' }), grpcExporter(slow.port, { id: 'otlp_grpc/slow' })],
      processors: [own as ProcessorSettings],
    });
    for (let from = 0; from < REQUESTS; from += 6) {
      const answers = Array.from({ length: 6 }, (_, i) => post(running.httpPort, PATHS.traces, large(from + i)));
      for (const { status } of await Promise.all(answers)) expect(status).toBe(200);
    }
    const names = Array.from({ length: REQUESTS }, (_, mark) => Array.from({ length: SPANS }, (__, i) => `${mark}-${i}`))
      .flat()
      .sort();
    await until(() => quick.delivered() === names.length && slow.delivered() === names.length);
    for (const sink of [quick, slow]) expect([...new Set(whole(sink.received))].sort()).toEqual(names);
    await finish(running);
    await quick.close();
    await slow.close();
  });
});

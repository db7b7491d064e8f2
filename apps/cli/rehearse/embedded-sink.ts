import { endHelper, forkHelper, nextMessage } from './helper-process.ts';
import { LOCAL } from './local.ts';
import type { SinkAnswer, SinkQuestion } from './messages.ts';
import type { Sink } from './sink.ts';

/** @param refuse it answers everything with an error that may not be retried */
export async function startEmbeddedSink(refuse: boolean): Promise<Sink> {
  const child = forkHelper('sink-process', refuse ? ['--refuse'] : []);
  const { ports } = await nextMessage<SinkAnswer, 'listening'>(child, 'listening');
  return {
    kind: 'embedded',
    description: `an embedded OTLP sink${refuse ? ' that refuses everything' : ', which counts what arrives and keeps nothing'}`,
    grpcAddress: `${LOCAL}:${ports.grpc}`,
    httpAddress: `${LOCAL}:${ports.http}`,
    open: [{ what: 'embedded sink (OTLP/gRPC)', address: `${LOCAL}:${ports.grpc}` }],
    leftOut: [],
    countedBy: 'the embedded sink: span ids in the protobuf that arrived, each once',
    delivered: async () => {
      const answered = nextMessage<SinkAnswer, 'counted'>(child, 'counted');
      child.send({ kind: 'count' } satisfies SinkQuestion);
      const { byService } = await answered;
      const all = Object.values(byService);
      const distinct = all.reduce((sum, service) => sum + service.distinct, 0);
      return { spans: distinct, duplicates: all.reduce((sum, { spans }) => sum + spans, 0) - distinct, byService };
    },
    readBack: async () => undefined,
    stop: async () => {
      await endHelper(child);
      return [];
    },
  };
}

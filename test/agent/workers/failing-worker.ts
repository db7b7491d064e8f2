import { existsSync } from 'node:fs';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { Question, Said, WorkerStart } from '../../../agent/workers/protocol.ts';
import { serveWorker } from '../../../agent/workers/worker.ts';

/** A real worker, but that one of them can prepare no reload while the file of FAIL_PREPARE is there. */
const start = workerData as WorkerStart;
const port = parentPort as MessagePort;
const file = process.env.FAIL_PREPARE ?? '';

const filtered = {
  postMessage: (said: Said) => port.postMessage(said),
  on: (event: 'message', listener: (message: Question | string) => void) =>
    port.on(event, (message: Question | string) => {
      const fails = typeof message !== 'string' && message.verb === 'prepare' && start.index === 1 && existsSync(file);
      if (!fails) return listener(message);
      const error = { message: 'no more descriptors', stack: undefined, code: 'OTLP_BIND', key: 'receivers.otlp.protocols.grpc.endpoint' };
      port.postMessage({ kind: 'failure', id: message.id, error } satisfies Said);
    }),
};

serveWorker(filtered as unknown as MessagePort, start);

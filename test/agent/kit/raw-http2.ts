import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from 'node:http2';
import { SIGNAL_FACTS } from '../../../agent/otlp/signals.ts';

/** A gRPC call spelled out, for what a well-behaved client never does. */
export interface RawAnswer {
  readonly httpStatus: number;
  readonly grpcStatus: string | undefined;
  readonly grpcMessage: string;
  /** grpc-status-details-bin, decoded. */
  readonly details: Buffer | undefined;
  readonly body: Buffer;
  readonly trailersOnly: boolean;
}

export function frame(message: Uint8Array, flag = 0, length = message.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

export class RawGrpc {
  readonly session: ClientHttp2Session;

  /** To a port, or over a session that was opened elsewhere. */
  constructor(to: number | ClientHttp2Session) {
    this.session = typeof to === 'number' ? connect(`http://127.0.0.1:${to}`) : to;
    this.session.on('error', () => {});
  }

  /** Opens a call and leaves writing and ending to the caller. */
  open(headers: OutgoingHttpHeaders = {}): { stream: ClientHttp2Stream; answer: Promise<RawAnswer> } {
    const stream = this.session.request({
      ':method': 'POST',
      ':path': SIGNAL_FACTS.traces.grpcPath,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    const answer = new Promise<RawAnswer>((resolve) => {
      let status: Record<string, unknown> = {};
      let httpStatus = 0;
      let trailersOnly = false;
      const body: Buffer[] = [];
      stream.on('response', (got) => {
        httpStatus = Number(got[':status']);
        if (got['grpc-status'] !== undefined) {
          status = got;
          trailersOnly = true;
        }
      });
      stream.on('trailers', (got) => {
        status = got;
      });
      stream.on('data', (data: Buffer) => body.push(data));
      stream.on('error', () => {});
      // The answer may be complete while the request is not: 'end' comes first then, 'close' where there is no answer.
      const done = (): void => {
        const details = status['grpc-status-details-bin'];
        resolve({
          httpStatus,
          grpcStatus: status['grpc-status'] as string | undefined,
          grpcMessage: String(status['grpc-message'] ?? ''),
          details: typeof details === 'string' ? Buffer.from(details, 'base64') : undefined,
          body: Buffer.concat(body),
          trailersOnly,
        });
      };
      stream.on('end', () => setImmediate(done));
      stream.on('close', done);
    });
    return { stream, answer };
  }

  /** One call whose body is written in these pieces, each in a DATA frame of its own. */
  async call(pieces: readonly Uint8Array[], headers: OutgoingHttpHeaders = {}): Promise<RawAnswer> {
    const { stream, answer } = this.open(headers);
    for (const piece of pieces) {
      if (stream.destroyed || stream.writableEnded) break;
      await new Promise<void>((resolve) => stream.write(piece, () => resolve()));
    }
    stream.end();
    return answer;
  }

  close(): void {
    this.session.destroy();
  }
}

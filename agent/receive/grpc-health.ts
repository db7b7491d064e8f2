import type { ServerStream, StreamReader } from '../http2/server.ts';
import { GrpcStatus } from '../runtime/grpc-status.ts';
import { beginOk, grpcFrame, respondOk, respondStatus } from './grpc-respond.ts';

/** https://github.com/grpc/grpc/blob/master/doc/health-checking.md: 1 is SERVING, 2 NOT_SERVING. */
const CHECK = '/grpc.health.v1.Health/Check';
const WATCH = '/grpc.health.v1.Health/Watch';
const SERVING = Buffer.from([0x08, 1]);
const NOT_SERVING = Buffer.from([0x08, 2]);
const UNAVAILABLE_TRAILERS = { 'grpc-status': String(GrpcStatus.UNAVAILABLE) };
const SERVICE_TAG = (1 << 3) | 2;
/** HealthCheckRequest holds a service name. */
const MAX_REQUEST_BYTES = 4096;

/** The standard gRPC health service: for the whole server (service name empty), and for each OTLP service by its full name. */
export class HealthService {
  #serving = true;
  #leaving = false;
  readonly #watchers = new Set<ServerStream>();
  readonly #knows: (service: string) => boolean;

  /** `knows`: whether a pipeline takes what the service of that name brings. */
  constructor(knows: (service: string) => boolean) {
    this.#knows = knows;
  }

  serves(path: string): boolean {
    return path === CHECK || path === WATCH;
  }

  handle(path: string, stream: ServerStream): StreamReader {
    const parts: Buffer[] = [];
    let size = 0;
    return {
      data: (data) => {
        size += data.length;
        if (size <= MAX_REQUEST_BYTES) parts.push(Buffer.from(data));
      },
      end: () => {
        const request = Buffer.concat(parts).subarray(5);
        if (size > MAX_REQUEST_BYTES) respondStatus(stream, GrpcStatus.RESOURCE_EXHAUSTED, 'the request is too large', undefined);
        else if (!this.#known(request))
          respondStatus(
            stream,
            GrpcStatus.NOT_FOUND,
            'unknown service; ask for the empty one, or for an OTLP service with a pipeline',
            undefined,
          );
        else if (path === CHECK) respondOk(stream, this.#status());
        else this.#watch(stream);
      },
      closed: () => this.#watchers.delete(stream),
    };
  }

  /** NOT_SERVING to everyone who watches, and to all who ask from now on. */
  shutDown(): void {
    if (!this.#serving) return;
    this.#serving = false;
    for (const stream of this.#watchers) stream.write(grpcFrame(NOT_SERVING));
    this.leave();
  }

  /** Ends every Watch, and those to come after their first answer: whoever wants to go on asks on a new connection. */
  leave(): void {
    this.#leaving = true;
    for (const stream of this.#watchers) stream.finish(UNAVAILABLE_TRAILERS);
    this.#watchers.clear();
  }

  /** HealthCheckRequest: 1 service string. Names are shorter than 128 bytes, so their length is one byte. */
  #known(request: Buffer): boolean {
    if (request.length <= 2) return true;
    return request[0] === SERVICE_TAG && request[1] === request.length - 2 && this.#knows(request.toString('utf8', 2));
  }

  #status(): Buffer {
    return this.#serving ? SERVING : NOT_SERVING;
  }

  #watch(stream: ServerStream): void {
    if (stream.closed) return;
    beginOk(stream);
    stream.write(grpcFrame(this.#status()));
    if (!this.#leaving) this.#watchers.add(stream);
    else stream.finish(UNAVAILABLE_TRAILERS);
  }
}

import type { AddressInfo, Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { Http2Codec } from '../../../../agent/config/settings.ts';
import { createNodeSession } from '../../../../agent/http2/node-session.ts';
import type { ServerSession, ServerStream, SessionEvents, SessionOptions, StreamReader } from '../../../../agent/http2/server.ts';
import { createServerSession } from '../../../../agent/http2/server-session.ts';
import { duplexWire } from '../../../../agent/runtime/wire.ts';
import { selfSigned } from './certificate.ts';

const OPTIONS: SessionOptions = {
  maxConcurrentStreams: 1000,
  streamWindowBytes: 4 * 1024 * 1024,
  sessionWindowBytes: 8 * 1024 * 1024,
  maxHeaderBytes: 16 * 1024,
};

/** A gRPC server over TLS that sends every message back, on a codec of ours: TLS is a duplex stream like any other. */
export interface TlsEcho {
  readonly port: number;
  /** Of the certificate of this server, in PEM. */
  readonly cert: string;
  /** Requests that were begun, and those whose end the codec has told. */
  readonly begun: number;
  readonly closed: number;
  /** Connections that are open. */
  readonly sessions: number;
  readonly faults: readonly string[];
  /** GOAWAY to all. */
  goodbye(): void;
  close(): Promise<void>;
}

class Echo implements StreamReader {
  readonly #stream: ServerStream;
  readonly #closed: () => void;
  readonly #parts: Buffer[] = [];

  constructor(stream: ServerStream, closed: () => void) {
    this.#stream = stream;
    this.#closed = closed;
  }

  data(bytes: Uint8Array): void {
    this.#parts.push(Buffer.from(bytes));
  }

  end(): void {
    this.#stream.respond({ ':status': '200', 'content-type': 'application/grpc' }, Buffer.concat(this.#parts), { 'grpc-status': '0' });
  }

  closed(): void {
    this.#closed();
  }
}

export async function tlsEcho(codec: Http2Codec): Promise<TlsEcho> {
  const { key, cert } = selfSigned();
  const sessions = new Set<ServerSession>();
  const sockets = new Set<Socket>();
  const faults: string[] = [];
  let begun = 0;
  let closed = 0;
  const server = createServer({ key, cert, ALPNProtocols: ['h2'] });
  server.on('tlsClientError', () => {});
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.alpnProtocol !== 'h2') {
      socket.destroy();
      return;
    }
    const events: SessionEvents = {
      stream: (stream) => {
        begun += 1;
        return new Echo(stream, () => {
          closed += 1;
        });
      },
      ready: () => {},
      ping: () => {},
      fault: (name) => faults.push(name),
      closed: () => sessions.delete(session),
    };
    const session = codec === 'own' ? createServerSession(duplexWire(socket), OPTIONS, events) : createNodeSession(socket, OPTIONS, events);
    sessions.add(session);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    cert,
    get begun() {
      return begun;
    },
    get closed() {
      return closed;
    },
    get sessions() {
      return sessions.size;
    },
    faults,
    goodbye: () => {
      for (const session of sessions) session.close();
    },
    close: async () => {
      const ended = new Promise((resolve) => server.close(resolve));
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
      await ended;
    },
  };
}

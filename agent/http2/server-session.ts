import type { Wire } from '../runtime/wire.ts';
import { Connection } from './connection.ts';
import { ControlFrames } from './control-frames.ts';
import { FrameReader } from './frame-reader.ts';
import { Incoming } from './incoming.ts';
import type { ServerSession, SessionEvents, SessionOptions } from './server.ts';

/**
 * HTTP/2 for servers on bytes (RFC 9113, RFC 7541). The way of a request, from socket to socket:
 *
 *   wire.received -> FrameReader -> Incoming  -> HPACK -> events.stream()  -> StreamReader.data(), end()
 *                    (frames)       (requests) `-> ControlFrames (SETTINGS, PING, windows, resets)
 *   wire.write    <- Output      <- Stream.respond() and the like
 *                    (one write for each read)
 *
 * Connection holds what they share. What a client may do at most is in limits.ts. `events` are not called before this returns.
 */
export function createServerSession(wire: Wire, options: SessionOptions, events: SessionEvents): ServerSession {
  const connection = new Connection(wire, options, events);
  connection.greet();
  const incoming = new Incoming(connection, new ControlFrames(connection));
  const reader = new FrameReader(incoming);
  // The block began before whichever of its frames is cut.
  connection.unfinishedSince = () => incoming.blockSince || reader.cutSince;
  const { output } = connection;
  let created = false;
  wire.start({
    received: (bytes) => {
      if (connection.over) return;
      connection.second = Math.trunc(performance.now() / 1000);
      output.hold();
      reader.read(bytes);
      output.flush();
    },
    drained: () => connection.unsent.drained(),
    ended: () => {
      if (created) connection.ended();
    },
    closed: () => {
      if (created) connection.gone();
      else queueMicrotask(() => connection.gone());
    },
  });
  created = true;
  return connection;
}

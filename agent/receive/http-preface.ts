import type { Socket } from 'node:net';

/** How every HTTP/2 connection begins where its client knows beforehand (RFC 9113, 3.4): "PRI * HTTP/2.0". No HTTP/1.1 method is PRI. */
const PREFACE = Buffer.from('PRI ');

/**
 * Calls `decided` with the version of HTTP that a connection speaks, once its first bytes say so; they are back on the socket then.
 * A client that sends none of them in time is `undefined`; one that goes without a word, as TCP probes do, is nobody. The Upgrade header of
 * HTTP/1.1 is not another way in: RFC 9113 has taken it out, and a server may ignore it.
 */
export function readPreface(socket: Socket, timeoutMs: number, decided: (version: 1 | 2 | undefined) => void): void {
  let timer: NodeJS.Timeout | undefined;
  if (timeoutMs > 0) timer = setTimeout(finish, timeoutMs, undefined).unref();
  let first: Buffer = Buffer.alloc(0);
  // Paused reading: what is not "data" yet stays in order when it is put back.
  socket.on('readable', look);
  socket.on('end', gone);
  socket.on('close', leave);

  function look(): void {
    const bytes = socket.read() as Buffer | null;
    if (bytes === null) return;
    // Kept here until they are enough: put back at once they would be readable again at once, without end.
    first = first.length === 0 ? bytes : Buffer.concat([first, bytes]);
    const length = Math.min(first.length, PREFACE.length);
    if (first.compare(PREFACE, 0, length, 0, length) !== 0) finish(1);
    else if (length === PREFACE.length) finish(2);
  }

  /** It said less than a version. The listener keeps half-open connections for the sake of HTTP/1.1: nothing else would end this one. */
  function gone(): void {
    leave();
    socket.destroy();
  }

  function leave(): void {
    clearTimeout(timer);
    socket.off('readable', look);
    socket.off('end', gone);
    socket.off('close', leave);
  }

  function finish(version: 1 | 2 | undefined): void {
    leave();
    if (first.length > 0) socket.unshift(first);
    decided(version);
  }
}

/**
 * Runs something when the sockets have been read once more. For whoever's time is over: timers come first in a turn of the event loop, so
 * that after the process has stood still (SIGSTOP, a frozen container, a long collection, a busy machine) all of them find their time over
 * while the answers, and what clients have sent, lie in the sockets. setImmediate comes behind the sockets of the same turn.
 */
export function onceRead<T>(run: (of: T) => void, of: T): void {
  setImmediate(run, of);
}

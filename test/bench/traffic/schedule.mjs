/**
 * When each request of an open loop is to be sent: at a fixed rate, whatever became of those before it. A request that leaves late is still
 * measured from when it should have left, otherwise a stall of the program under test would hide the requests that it kept waiting
 * (coordinated omission).
 */
export class Schedule {
  /**
   * @param startMs of the first request, on the monotonic clock
   * @param perSecond requests
   */
  constructor(startMs, perSecond, total) {
    this.startMs = startMs;
    this.intervalMs = 1000 / perSecond;
    this.total = total;
    this.next = 0;
  }

  get done() {
    return this.next >= this.total;
  }

  /** When request `index` is to be sent. */
  at(index) {
    return this.startMs + index * this.intervalMs;
  }

  /** Takes the next request that is due at `nowMs`: its index, or -1 when none is. */
  take(nowMs) {
    if (this.done || this.at(this.next) > nowMs) return -1;
    this.next += 1;
    return this.next - 1;
  }

  /** How long there is nothing to do; 0 when something is due, Infinity when all are taken. */
  waitMs(nowMs) {
    return this.done ? Number.POSITIVE_INFINITY : Math.max(0, this.at(this.next) - nowMs);
  }
}

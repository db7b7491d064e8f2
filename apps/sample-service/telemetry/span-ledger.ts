/**
 * The books of the spans, in plain numbers that /metrics reads at scrape time. At every moment
 * `ended = exported + dropped + queued + inFlight`, where ended counts the sampled spans only.
 */
export class SpanLedger {
  /** Acknowledged by the receiver. */
  exported = 0;
  /** Waiting in the BatchSpanProcessor. */
  queued = 0;
  /** Handed to the exporter, no answer yet; retries of the SDK included. */
  inFlight = 0;
  /** Gone for good, by reason. */
  readonly dropped = {
    /** The queue was full: the receiver is slower than the service, or away. */
    queue_full: 0,
    /** The export failed and will not be tried again. */
    export_failed: 0,
    /** The receiver took the request but not all of its spans (OTLP partial success). */
    rejected: 0,
    /** Ended after the shutdown began to close the SDK, or not delivered before its deadline. */
    shutdown: 0,
  };

  get droppedTotal(): number {
    return Object.values(this.dropped).reduce((sum, count) => sum + count, 0);
  }

  /** The shutdown deadline is over: what is not delivered by now is lost, and counted so. */
  giveUp(): number {
    const lost = this.queued + this.inFlight;
    this.dropped.shutdown += lost;
    this.queued = 0;
    this.inFlight = 0;
    return lost;
  }
}

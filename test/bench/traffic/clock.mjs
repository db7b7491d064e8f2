/** Milliseconds of the machine's monotonic clock: the same in every process, so that what one sent and another got can be subtracted. */
export function nowMs() {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

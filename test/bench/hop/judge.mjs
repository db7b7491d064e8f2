/**
 * Which runs count. A run in which the driver or the sink was what could do no more says nothing about the program between them; it is void
 * and made again, and the result tells how many were.
 */

/** Share of its wall time from which a CPU is full. */
export const FULL_SHARE = 0.95;
/** An open loop that is later than this at p99 is no open loop. */
export const MAX_LATE_MS = 5;
/** An open loop whose driver or sink had to wait for their CPU longer than this measured the machine's other work. */
export const MAX_WAITED_SHARE = 0.1;
/** After so many void runs of one kind the bench gives that kind up and says so. */
export const MAX_VOID = 3;

/**
 * @param {object} run what was seen
 * @param {{ subject: number, drivers: number[], sink: number }} [run.busy] shares of wall time: of the CPUs that the program may use, of
 * each process of the driver, of the sink
 * @param {{ p99: number }} [run.lateMs] of an open loop
 * @param {{ driver: number, sink: number }} [run.waited] shares of wall time in which they could have run and others had their CPU
 * @param {number} [run.expected] items; not given where it is not known how many there are to be
 * @param {number} run.delivered items
 * @param {string[]} [run.problems] that driver and sink saw
 * @returns {{ void?: string, wrong?: string } | undefined} why the run is void or wrong; undefined when it counts. `wrong` is the program's
 * fault, `void` the bench's.
 */
export function judge({ busy, lateMs, waited, expected, delivered, problems = [] }) {
  if (problems.length > 0) return { wrong: problems.join('; ') };
  if (expected !== undefined && delivered !== expected) return { wrong: `${delivered} items of ${expected} were delivered` };
  if (lateMs !== undefined && !(lateMs.p99 <= MAX_LATE_MS)) return { void: `the driver was ${lateMs.p99.toFixed(1)} ms late at p99` };
  for (const [who, share] of Object.entries(waited ?? {})) {
    if (share > MAX_WAITED_SHARE) return { void: `other programs had the CPU of the ${who} for ${percent(share)} of the time` };
  }
  if (busy === undefined || busy.subject >= FULL_SHARE) return undefined;
  const driver = Math.max(0, ...busy.drivers);
  if (driver >= FULL_SHARE)
    return { void: `the driver's CPU was full (${percent(driver)}), that of the program was not (${percent(busy.subject)})` };
  if (busy.sink >= FULL_SHARE)
    return { void: `the sink's CPU was full (${percent(busy.sink)}), that of the program was not (${percent(busy.subject)})` };
  return undefined;
}

/**
 * Makes runs until one counts.
 *
 * @param make resolves to a run with `verdict`
 * @returns `{ run, voids }`; run undefined where none counted
 */
export async function untilItCounts(make, maxVoid = MAX_VOID) {
  const voids = [];
  for (;;) {
    const run = await make();
    if (run.verdict === undefined) return { run, voids };
    voids.push(run.verdict.void ?? run.verdict.wrong);
    if (voids.length >= maxVoid) return { run: undefined, voids };
  }
}

function percent(share) {
  return `${Math.round(share * 100)} %`;
}

import { setFlagsFromString } from 'node:v8';

/** The V8 of Node 26; an older one does not know the flag and would say so on stderr. */
const FIRST_V8_WITH_FLAG = 14;

/**
 * Lets V8 weigh request bodies against the whole heap's limit instead of a fixed allowance.
 *
 * Bodies are external memory. By default V8 starts a full mark-compact each time about 64 MiB of it have been allocated, whatever the
 * heap holds: at 1 M spans/s that was one every 70 ms, two fifths of the agent's CPU. Measured on one core (test/bench/agent-hop.mjs,
 * 512 x 373 B, three rounds without the flag, then three with it): 1.14 and 0.65 CPU s per million spans; the peak of RSS under a flood with the next hop
 * away stayed within a tenth. How much may be held is not V8's affair: the byte budgets decide that.
 *
 * For the whole process, before load; so a program that embeds the agent decides itself whether to call it.
 */
export function weighBodiesWithHeap(): void {
  if (Number.parseInt(process.versions.v8, 10) >= FIRST_V8_WITH_FLAG) setFlagsFromString('--external-memory-accounted-in-global-limit');
}

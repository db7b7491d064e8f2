import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

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

let gc: ((options?: object) => void) | undefined;

/** V8's full collection; the flag makes the function, a context of its own hands it out. */
export function collectGarbage(options?: object): void {
  if (gc === undefined) {
    setFlagsFromString('--expose-gc');
    gc = runInNewContext('gc') as (options?: object) => void;
    setFlagsFromString('--no-expose-gc');
  }
  gc(options);
}

/**
 * Gives back what reading a configuration has left behind: V8 keeps the room that it once had. 14 of 93 MiB of an agent that has just
 * started, for some 30 ms of one core.
 */
export function trimHeap(): void {
  collectGarbage({ type: 'major', flavor: 'last-resort' });
}

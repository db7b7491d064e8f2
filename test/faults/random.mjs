/** A seeded generator (mulberry32): the same storm again from the same seed. */
export function randomOf(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    /** From 0 up to, not including, `max`. */
    below: (max) => Math.floor(next() * max),
    chance: (part) => next() < part,
    pick: (list) => list[Math.floor(next() * list.length)],
  };
}

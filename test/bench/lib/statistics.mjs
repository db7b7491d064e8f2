/** The statistics of the benches: medians, ratios of paired runs and how sure they are. */

/** The middle value; of an even number of values the mean of the two in the middle. NaN of none. */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The smallest value that at least the share `q` of all values does not exceed (nearest rank). `sorted` ascends. NaN of none. */
export function quantile(sorted, q) {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))];
}

/**
 * How often ours fits into theirs. Runs are paired by the round they were made in, as what else the machine did hit both of a round.
 *
 * @returns ratio of the medians, least and most ratio of a round, and the middle 95 % of the ratios of medians of 2000 resamples of the
 * rounds (percentile bootstrap). The resamples come from a fixed seed: the same runs give the same interval.
 */
export function ratioOf(theirs, ours) {
  const rounds = Math.min(theirs.length, ours.length);
  if (rounds === 0) return undefined;
  const pairs = Array.from({ length: rounds }, (_, round) => theirs[round] / ours[round]).toSorted((a, b) => a - b);
  const random = generator(1);
  const resampled = Array.from({ length: RESAMPLES }, () => {
    const picks = Array.from({ length: rounds }, () => Math.floor(random() * rounds));
    return median(picks.map((pick) => theirs[pick])) / median(picks.map((pick) => ours[pick]));
  }).toSorted((a, b) => a - b);
  return {
    ratio: median(theirs.slice(0, rounds)) / median(ours.slice(0, rounds)),
    min: pairs[0],
    max: pairs.at(-1),
    interval95: [quantile(resampled, 0.025), quantile(resampled, 0.975)],
    rounds,
  };
}

const RESAMPLES = 2000;

/** Numbers in [0, 1) from a seed (mulberry32). */
export function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `digits` significant digits, so that result files stay readable and differ where runs differ. */
export function rounded(value, digits = 4) {
  return Number.isFinite(value) ? Number(value.toPrecision(digits)) : value;
}

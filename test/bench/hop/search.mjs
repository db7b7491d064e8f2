/**
 * The highest rate at which something holds: up in steps until it does not, then halfway between what held and what did not.
 *
 * @param holds `(rate) => 'yes' | 'no' | 'void'`; void means that the bench, not the program, could do no more
 * @param from the first rate
 * @param lowest below this there is nothing to look for
 * @param step factor of the steps up @default 1.25
 * @param precision the two rates differ by at most this share in the end @default 0.05
 * @returns `{ rate, limitedBy }`: the highest rate that held (undefined when none did), and whether the
 * `program` or the `bench` ended the search
 */
export async function highestRate({ holds, from, lowest, step = 1.25, precision = 0.05, maxTrials = 14 }) {
  let good;
  let bad;
  let limitedBy = 'program';
  for (let trial = 0, rate = from; trial < maxTrials; trial += 1) {
    const answer = await holds(rate);
    if (answer === 'yes') {
      good = rate;
    } else {
      bad = rate;
      limitedBy = answer === 'void' ? 'bench' : 'program';
    }
    if (good === undefined && rate <= lowest) break;
    if (good !== undefined && bad !== undefined && bad / good <= 1 + precision) break;
    if (bad === undefined) rate = good * step;
    else if (good === undefined) rate = Math.max(lowest, bad / step);
    else rate = (good + bad) / 2;
  }
  return { rate: good, limitedBy: good === undefined ? 'program' : limitedBy };
}

/** The known name that a mistyped one most likely means: at most two edits away, or a third of its length. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const edits = distance(name, candidate);
    if (edits < least) [best, least] = [candidate, edits];
  }
  return best;
}

/** How many names a suggestion lists: more than that nobody reads. */
const LISTED = 8;

/** `did you mean "x"? There are x, y`: the end of a remedy. */
export function suggestion(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  const sorted = [...known].sort();
  const more = sorted.length > LISTED ? ` and ${sorted.length - LISTED} more` : '';
  const list = known.length === 0 ? 'none are defined' : `there are ${sorted.slice(0, LISTED).join(', ')}${more}`;
  return meant === undefined ? list : `did you mean "${meant}"? ${list}`;
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

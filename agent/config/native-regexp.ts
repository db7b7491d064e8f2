import type { CharSet } from './regexp-chars.ts';
import { type Node, readPattern } from './regexp-pattern.ts';

/** A pattern on JavaScript's engine, for texts of up to `longest` UTF-16 units. */
export interface NativeRegExp {
  readonly longest: number;
  /** Characters that a match has at least. */
  readonly least: number;
  readonly test: RegExp;
  /** From one match to the next. undefined where an empty text matches: Go leaves out empty matches that follow another one, JavaScript not. */
  readonly each: RegExp | undefined;
  /** The same with the places of groups, which cost. */
  readonly eachWithGroups: RegExp | undefined;
}

/** Steps of backtracking that one text may take: 0.1 ms, what RE2 takes for a text of a few hundred letters. */
const MOST_STEPS = 70_000;
/** Lengths of text for which the steps are estimated, and the shortest for which it is worth it. */
const LENGTHS = [8192, 4096, 2048, 1024, 512, 256, 128, 64, 40, 24];

/**
 * A pattern of Go as a RegExp of JavaScript, which is ten times as fast; undefined where the two differ, or where whoever sends the text
 * could make it slow. The patterns that this knows mean the same in both: letters, classes, groups, alternatives, anchors, and repetitions
 * of single characters, or of what has no group and is never empty (regexp-pattern.ts). Both take the leftmost match, of several the one
 * that comes first in the pattern.
 *
 * How long it can take is estimated from the pattern, in steps of backtracking for each place where a match may begin:
 *  - a repetition of one character goes through the text once, and each place where it may end is a way to go on, unless what follows can
 *    be none of these characters: then there is one;
 *  - a repetition at the end of the pattern has nothing behind it that could fail;
 *  - what stands side by side multiplies, alternatives add up.
 */
export function nativeOf(source: string): NativeRegExp | undefined {
  const pattern = readPattern(source);
  if (pattern === undefined) return undefined;
  const longest = LENGTHS.find((length) => stepsOf(pattern.root, length) <= MOST_STEPS);
  if (longest === undefined) return undefined;
  const flags = pattern.ignoresCase ? 'iu' : 'u';
  const isEmpty = pattern.root.least === 0;
  return {
    longest,
    least: pattern.root.least,
    test: new RegExp(pattern.script, flags),
    each: isEmpty ? undefined : new RegExp(pattern.script, `g${flags}`),
    eachWithGroups: isEmpty ? undefined : new RegExp(pattern.script, `dg${flags}`),
  };
}

function stepsOf(root: Node, length: number): number {
  return (beginsAtStart(root) ? 1 : length) * effort(root, length, undefined, true).steps;
}

function beginsAtStart(node: Node): boolean {
  if (node.kind === 'start') return true;
  if (node.kind === 'all') return node.parts[0] !== undefined && beginsAtStart(node.parts[0]);
  return node.kind === 'one' && node.of.every(beginsAtStart);
}

type Repeat = Node & { readonly kind: 'repeat' };

interface Effort {
  readonly steps: number;
  /** Ways in which what follows is tried. */
  readonly ways: number;
}

/** `next`: what has to follow. `isLast`: nothing does. */
function effort(node: Node, length: number, next: Node | undefined, isLast: boolean): Effort {
  switch (node.kind) {
    case 'char':
    case 'start':
    case 'other':
      return { steps: 1, ways: 1 };
    case 'one':
      return node.of
        .map((each) => effort(each, length, next, isLast))
        .reduce((sum, each) => ({ steps: sum.steps + each.steps, ways: sum.ways + each.ways }), { steps: 0, ways: 0 });
    case 'all': {
      let steps = 1;
      let ways = 1;
      node.parts.forEach((part, i) => {
        const isEnd = i === node.parts.length - 1;
        const each = effort(part, length, isEnd ? next : node.parts[i + 1], isEnd && isLast);
        steps += ways * each.steps;
        ways *= each.ways;
      });
      return { steps, ways };
    }
    case 'repeat':
      return repetition(node, length, next, isLast);
  }
}

function repetition({ of, atLeast, atMost }: Repeat, length: number, next: Node | undefined, isLast: boolean): Effort {
  const times = Math.min(atMost, length);
  if (of.kind === 'char') {
    // What it goes through at the end of a pattern is the match, and not gone through again.
    if (isLast && atMost > length) return { steps: 1 + Math.min(atLeast, length), ways: 1 };
    const stops = next !== undefined && firstOf(next)?.some((isIn, i) => isIn && of.set[i] === true) === false;
    return { steps: times + 1, ways: stops || isLast ? 1 : times - Math.min(atLeast, times) + 1 };
  }
  let steps = 1;
  let ways = atLeast === 0 ? 1 : 0;
  let reached = 1;
  const each = effort(of, length, undefined, false);
  for (let i = 1; i <= times; i += 1) {
    steps += reached * each.steps;
    reached *= each.ways;
    if (i >= atLeast) ways += reached;
    if (steps > MOST_STEPS) break;
  }
  return { steps, ways };
}

/** With what the text has to go on that it matches; undefined where that is not one character of a set. */
function firstOf(node: Node): CharSet | undefined {
  if (node.kind === 'char') return node.set;
  if (node.kind === 'repeat') return node.atLeast > 0 ? firstOf(node.of) : undefined;
  return node.kind === 'all' && node.parts[0] !== undefined ? firstOf(node.parts[0]) : undefined;
}

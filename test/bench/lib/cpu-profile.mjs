/**
 * A .cpuprofile (V8, `node --cpu-prof`) as a table of functions by self time and as a tree for a flame graph.
 */

import { SourceMap } from 'node:module';

/** What V8 samples when no function of the program runs. `(program)` is native code without a JavaScript frame: mostly system calls. */
const NATIVE = new Set(['(garbage collector)', '(program)', '(idle)', '(root)']);

/**
 * @param profile parsed file
 * @param {object} [options]
 * @param {{ fromMs: number, toMs: number }} [options.window] of the monotonic clock: samples outside are left out @default all
 * @param {(frame: { url: string, lineNumber: number, columnNumber: number }) => string} [options.where] names the place of a call frame
 * @default file and line
 * @returns `{ totalMs, idleMs, functions, tree }`; functions are `{ name, where, selfMs, totalMs }`, most self time first, and every share
 * is one of the time that was not idle
 */
export function readProfile(profile, { window, where = placeOf } = {}) {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id])));
  const self = new Map();
  let at = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    // The time of a delta is the sample's that came before it.
    at += profile.timeDeltas[index];
    if (window !== undefined && (at < window.fromMs * 1000 || at > window.toMs * 1000)) continue;
    const took = profile.timeDeltas[index + 1] ?? 0;
    if (took > 0) self.set(id, (self.get(id) ?? 0) + took / 1000);
  }
  const key = (id) => {
    const { callFrame } = byId.get(id);
    return NATIVE.has(callFrame.functionName)
      ? { name: callFrame.functionName, where: '' }
      : { name: callFrame.functionName || '(anonymous)', where: where(callFrame) };
  };
  return { ...functionsOf(self, parents, key), tree: treeOf(self, parents, key) };
}

function functionsOf(self, parents, key) {
  const functions = new Map();
  const entry = (id) => {
    const { name, where } = key(id);
    const label = `${name} ${where}`;
    if (!functions.has(label)) functions.set(label, { name, where, selfMs: 0, totalMs: 0 });
    return functions.get(label);
  };
  let totalMs = 0;
  let idleMs = 0;
  for (const [id, took] of self) {
    totalMs += took;
    const own = entry(id);
    if (own.name === '(idle)') idleMs += took;
    own.selfMs += took;
    // A function that calls itself counts once.
    const seen = new Set();
    for (let at = id; at !== undefined; at = parents.get(at)) {
      const one = entry(at);
      if (!seen.has(one)) one.totalMs += took;
      seen.add(one);
    }
  }
  const sorted = [...functions.values()].filter(({ name }) => name !== '(root)').toSorted((a, b) => b.selfMs - a.selfMs);
  return { totalMs, idleMs, functions: sorted };
}

/** `{ name, where, ms, children }`; idle time is left out, calls of one function from one place are one node. */
function treeOf(self, parents, key) {
  const root = { name: 'all', where: '', ms: 0, children: new Map() };
  for (const [id, took] of self) {
    const path = [];
    for (let at = id; at !== undefined; at = parents.get(at)) path.unshift(key(at));
    if (path.at(-1).name === '(idle)') continue;
    let node = root;
    node.ms += took;
    for (const { name, where } of path.slice(1)) {
      const label = `${name} ${where}`;
      if (!node.children.has(label)) node.children.set(label, { name, where, ms: 0, children: new Map() });
      node = node.children.get(label);
      node.ms += took;
    }
  }
  return plain(root);
}

function plain({ name, where, ms, children }) {
  return { name, where, ms: Math.round(ms * 100) / 100, children: [...children.values()].map(plain) };
}

function placeOf({ url, lineNumber }) {
  if (url === '') return '';
  return `${url.startsWith('node:') ? url : url.split('/').at(-1)}:${lineNumber + 1}`;
}

/** Places in a bundle by its source map: `agent/receive/grpc.ts:120`, or the package that a line came from. */
export function placesInBundle(sourceMap) {
  const map = new SourceMap(sourceMap);
  return (frame) => {
    if (!frame.url.endsWith('.mjs') || frame.url.startsWith('node:')) return placeOf(frame);
    const { originalSource, originalLine } = map.findEntry(frame.lineNumber, frame.columnNumber);
    if (originalSource === undefined) return placeOf(frame);
    return `${originalSource.replace(/^.*node_modules\//, '').replace(/^(\.\.\/)+/, '')}:${originalLine + 1}`;
  };
}

/** The `count` functions with the most self time as text, with what is no function first. */
export function tableOf({ totalMs, idleMs, functions }, count = 40) {
  const busy = totalMs - idleMs;
  const row = ({ name, where, selfMs, totalMs: all }) =>
    `${percent(selfMs, busy).padStart(7)} ${selfMs.toFixed(0).padStart(7)} ${percent(all, busy).padStart(7)}  ${name} ${where}`.trimEnd();
  const [native, own] = [functions.filter(({ name }) => NATIVE.has(name)), functions.filter(({ name }) => !NATIVE.has(name))];
  return [
    `${busy.toFixed(0)} ms busy, ${idleMs.toFixed(0)} ms idle; shares are of the busy time`,
    '   self      ms   total  function',
    ...native.filter(({ name }) => name !== '(idle)').map(row),
    ...own.slice(0, count).map(row),
  ].join('\n');
}

function percent(part, whole) {
  return `${((100 * part) / whole).toFixed(1)} %`;
}

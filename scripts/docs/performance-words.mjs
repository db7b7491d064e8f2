/**
 * The sentences of docs/performance.md that no file of numbers can say: why a goal is missed, and why a curve bends where it does. What can
 * be computed is computed; the places of the bends are, and a reason is only given for a bend that the data have.
 */

/**
 * Why a goal is missed and what would be needed, by the name of its row: the works of test/bench/hop/works.mjs, the cases of
 * agent-open-loop and agent-workers, `start.*` and `synth.*` of the others. A missed goal without words says where to look.
 */
export const MISSES = {
  'start.startMs':
    'Half of it is Node.js itself and the modules of it that a server needs; the rest is evaluating what V8 has compiled when the bundle was built, and reading the configuration.',
  'workers.small':
    'With requests of 25 spans two workers take more than one CPU can send here, so neither is full, and the row compares one worker that is busy all the time with two that are not: a turn of the event loop then finds fewer requests in a socket, each read, write and turn carries fewer of them, and a span costs more, in one worker as in two. An open loop that offers each worker the same tells what a second worker costs by itself.',
  'workers.equal':
    'Each worker was offered the same, and two took more for a span than one: they share caches and memory bandwidth, and the kernel does not deal out connections evenly.',
};

/** The words to a missed goal; `profile` names the work that shows it. */
export function explanationOf(name, profile) {
  const look = profile === undefined ? '' : ` \`npm run profile -- ${profile}\` shows where the time goes.`;
  return `${MISSES[name] ?? 'No explanation has been written for this run.'}${look}`;
}

/** From this factor over the least before it on a curve has bent. */
const BENT = 1.25;

/** By the name of the series: words from the points of our curve, `[{ x, y }]` with x ascending. */
export const BENDS = {
  items: (points) => {
    // cost per span = spanCost + requestCost / spans, through the ends of the curve.
    const [first, last] = [points[0], points.at(-1)];
    const requestCost = (first.y - last.y) / (1 / first.x - 1 / last.x);
    const spanCost = last.y - requestCost / last.x;
    if (requestCost <= 0 || spanCost <= 0) return 'It does not bend: a request costs no more than its spans.';
    return `A request costs ${micro(requestCost)} whatever is in it, a span ${micro(spanCost)}: the curve bends at about ${Math.round(requestCost / spanCost)} spans, where both are the same. Below, headers, flow control and the answer are what is paid for; above, the bytes are. An SDK's batch of 512 is far to the right of it, what a browser or a function sends far to the left.`;
  },
  bytes: (points) => {
    const [first, last] = [points[0], points.at(-1)];
    const byteCost = (last.y - first.y) / (last.x - first.x);
    const spanCost = first.y - byteCost * first.x;
    if (byteCost <= 0) return 'It does not grow with the bytes.';
    const perGB = `${(byteCost * 1000).toFixed(2)} CPU s per GB`;
    if (spanCost <= 0) return `It grows as the bytes do, ${perGB}: what a span costs by itself is too little to be seen.`;
    return `A byte costs the same everywhere, ${perGB}, nearly all of it in the kernel and in copying; a span ${micro(spanCost)} besides: the curve turns from flat to steep at about ${Math.round(spanCost / byteCost)} bytes, where both are the same.`;
  },
  connections: (points) => {
    const bend = bendOf(points);
    if (bend === undefined) return 'It does not bend within what was measured: a connection costs memory, not time.';
    return `It bends at ${bend.x} connections (${bend.factor.toFixed(1)} times the least before). With few connections one read of a socket brings several requests and one write carries several answers; with many, each request is a read and a write of its own, which is the kernel's part and most of the whole, and the state of a connection is no longer in the caches when its turn comes.`;
  },
  upstreams: (points) => {
    const bend = bendOf(points);
    if (bend === undefined) return 'It does not bend within what was measured.';
    return `It bends at ${bend.x} upstreams (${bend.factor.toFixed(1)} times the least before). Each request is cut into as many parts as it has upstreams, each with the headers of its resource and scope, and each upstream has a queue and batches of its own, which hold more and smaller pieces; to one upstream a request goes whole.`;
  },
};

/** The first point that costs a quarter more than the least before it and after which it stays so. */
export function bendOf(points) {
  let least = Number.POSITIVE_INFINITY;
  for (const [index, point] of points.entries()) {
    const bound = BENT * least;
    if (point.y > bound && points.slice(index).every((later) => later.y > bound)) return { ...point, factor: point.y / least };
    least = Math.min(least, point.y);
  }
  return undefined;
}

/** CPU seconds per million are microseconds per one. */
function micro(value) {
  return value >= 10 ? `${value.toFixed(0)} µs` : `${value.toFixed(2)} µs`;
}

/**
 * `npm run faults`: storms against the running agent, each three times the same, with well-behaved clients beside it. What must hold:
 *
 *   - the agent lives, and every request of a storm that asks for an answer gets one
 *   - RSS after the third identical storm and a collection is at most 10 % above that after the first, and always below the memory limit
 *   - the clients beside it keep p99 below a second, lose nothing that was acknowledged, and get nothing twice
 *
 *   --seconds N   time for all storms (default 240); with more they are played again, with other seeds     --seed N    another course of events (printed; default: of the clock)
 *   --storm NAME  only this one                         --record    writes test/faults/record.json, which docs/reference/faults.md is made of
 */
import { execFileSync, fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startAgent } from './agent-process.mjs';

/** What the stack prints for the agent. */
const LIMIT_MIB = 512;
const ROUNDS = 3;
const MAX_GROWTH = 1.1;
const MAX_P99_MS = 1000;
/** Of the clients' own process, at the 99th percentile: a run in which the driver is later is void. */
const MAX_LATE_MS = 100;
/** Of all storms once. */
const PASS_SECONDS = 240;
/** After each storm; its memory is the least that is seen in this time: V8 collects when it is its turn, not when a storm ends. */
const SETTLE_MS = 4000;
/** Two of the intervals at which the agent collects by force while it is near its limit. */
const SETTLE_AT_MOST_MS = 20_000;

/** `count` for three rounds together at most; `share` of the time. */
const STORMS = [
  { name: 'bodies', share: 0.52, count: 1_000_000 },
  { name: 'splits', share: 0.08, count: 60_000 },
  { name: 'connections', share: 0.1, count: 10_000 * ROUNDS },
  { name: 'headers', share: 0.08, count: 600 },
  { name: 'floods', share: 0.16, count: 6_000_000 },
  { name: 'stalls', share: 0.06, count: 6_000 },
];

const { values } = parseArgs({
  options: { seconds: { type: 'string' }, seed: { type: 'string' }, storm: { type: 'string' }, record: { type: 'boolean' } },
});
const seconds = Number(values.seconds ?? 240);
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const storms = STORMS.filter(({ name }) => values.storm === undefined || name === values.storm);
const share = storms.reduce((sum, one) => sum + one.share, 0);
const say = (text) => process.stdout.write(`${text}\n`);
if (storms.length === 0) {
  say(`No storm is called ${values.storm}; there are ${STORMS.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}
say(`seed ${seed}, ${seconds} s, memory limit ${LIMIT_MIB} MiB`);

const child = (file, ...args) =>
  fork(fileURLToPath(new URL(file, import.meta.url)), args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
const answerOf = (process, message) =>
  new Promise((resolve, reject) => {
    const ended = (code) => reject(new Error(`a process of the storm ended with ${code}`));
    process.once('exit', ended);
    process.once('message', (answer) => {
      process.off('exit', ended);
      resolve(answer);
    });
    if (message !== undefined) process.send(message);
  });

const sink = child('sink.mjs');
const { port } = await answerOf(sink);
const agent = await startAgent(port, LIMIT_MIB);
const clients = child('clients.mjs');
await answerOf(clients, { start: { ports: agent.ports } });
await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
await answerOf(clients, 'mark');
say(`RSS before: ${agent.rss()} MiB`);

/** The least within SETTLE_MS; where that is more than `enough`, as long as SETTLE_AT_MOST_MS for it to fall so far. */
async function settledRss(enough = Number.POSITIVE_INFINITY) {
  let least = Number.POSITIVE_INFINITY;
  await new Promise((resolve) => setTimeout(resolve, 1000)); // connections that have just been left end first
  await agent.collect();
  for (let waited = 0; waited < SETTLE_MS || (least > enough && waited < SETTLE_AT_MOST_MS); waited += 100) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    least = Math.min(least, agent.rss());
  }
  return least;
}

const problems = [];
const results = [];
// The allocator's arenas grow to their working size with the first storms that hold many connections: growth is what comes after them.
for (const [name, count] of [
  ['connections', 5000],
  ['stalls', 2000],
])
  await answerOf(child('storm-process.mjs', name), { ports: agent.ports, seed: seed + 1, count, seconds: 10 });
say(`RSS after first storms to warm up: ${await settledRss()} MiB`);

async function play(storm, passSeed, passSeconds) {
  const rounds = [];
  let count = Math.ceil(storm.count / ROUNDS);
  const began = performance.now();
  for (let round = 1; round <= ROUNDS && agent.alive(); round += 1) {
    // The first round finds out how many there is time for; the others are the same again, however long they take (within reason).
    const time = ((passSeconds * storm.share) / share / ROUNDS) * (round === 1 ? 0.85 : 4);
    const at = performance.now();
    const result = await answerOf(child('storm-process.mjs', storm.name), { ports: agent.ports, seed: passSeed, count, seconds: time });
    const took = (performance.now() - at) / 1000;
    count = result.count;
    const rssMib = await settledRss(round === 1 ? undefined : rounds[0].rssMib * MAX_GROWTH);
    const beside = await answerOf(clients, 'mark');
    rounds.push({ count: result.count, seconds: Number(took.toFixed(1)), rssMib, clients: beside, answers: result.answers });
    say(
      `${storm.name} ${round}: ${result.count} in ${took.toFixed(1)} s, RSS ${rssMib} MiB, clients p99 ${beside.p99Ms} ms of ${beside.attempts}`,
    );
    for (const anomaly of result.anomalies.slice(0, 5)) problems.push(`${storm.name} ${round}: ${anomaly}`);
    if (result.anomalies.length > 5) problems.push(`${storm.name} ${round}: and ${result.anomalies.length - 5} more`);
    if (beside.p99Ms > MAX_P99_MS && beside.lateP99Ms > MAX_LATE_MS)
      say(`${storm.name} ${round}: the clients themselves were ${beside.lateP99Ms} ms late: their p99 is not the agent's, and not judged`);
    else if (beside.p99Ms > MAX_P99_MS)
      problems.push(`${storm.name} ${round}: p99 of the well-behaved clients was ${beside.p99Ms} ms, the limit is ${MAX_P99_MS}`);
    if (beside.attempts === 0) problems.push(`${storm.name} ${round}: the well-behaved clients got no answer at all`);
  }
  if (!agent.alive()) {
    problems.push(`${storm.name}: the agent has ended:\n${agent.output().slice(-3000)}`);
    return;
  }
  const [first, , last] = rounds;
  if (last.rssMib > first.rssMib * MAX_GROWTH)
    problems.push(`${storm.name}: RSS grew from ${first.rssMib} to ${last.rssMib} MiB over identical storms`);
  results.push({ storm: storm.name, seconds: Number(((performance.now() - began) / 1000).toFixed(1)), rounds });
}

// As often as there is time for, each time with other seeds.
const startedAt = performance.now();
let passes = 0;
for (let left = seconds; passes === 0 || left > PASS_SECONDS / 2; left = seconds - (performance.now() - startedAt) / 1000) {
  for (const storm of storms) if (agent.alive()) await play(storm, seed + passes, Math.min(seconds, PASS_SECONDS));
  passes += 1;
  if (!agent.alive()) break;
}

const peakMib = agent.peak();
if (peakMib > LIMIT_MIB) problems.push(`RSS peaked at ${peakMib} MiB, the memory limit is ${LIMIT_MIB}`);
let beside = { acknowledged: [], refusals: {} };
let told = { lost: 0, twice: 0, requests: 0 };
if (agent.alive()) {
  beside = await answerOf(clients, 'stop');
  const metrics = await agent.metrics();
  say(
    metrics
      .split('\n')
      .filter((line) => /^otlp_agent_(connection_errors|receiver_requests)/u.test(line))
      .join('\n'),
  );
  agent.terminate();
  const { code } = await agent.ended;
  if (code !== 0) problems.push(`the agent ended with ${code} after SIGTERM:\n${agent.output().slice(-3000)}`);
  told = await answerOf(sink, { acknowledged: beside.acknowledged });
  if (told.lost > 0)
    problems.push(`${told.lost} of ${beside.acknowledged.length} acknowledged spans of the well-behaved clients were lost`);
  if (told.twice > 0) problems.push(`${told.twice} spans of the well-behaved clients came twice`);
}
for (const one of [sink, clients]) one.disconnect();

say(
  `peak RSS ${peakMib} MiB; ${beside.acknowledged.length} spans of well-behaved clients: ${told.lost} lost, ${told.twice} twice; refused and sent again: ${JSON.stringify(beside.refusals)}`,
);
for (const problem of problems) say(`FAILED ${problem}`);
if (values.record === true) {
  const record = {
    command: `npm run faults -- --seconds ${seconds} --seed ${seed} --record`,
    date: new Date().toISOString(),
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
    machine: { cpu: cpus()[0]?.model, cores: availableParallelism(), memoryGiB: Math.round(totalmem() / 2 ** 30), node: process.version },
    seed,
    seconds: Math.round((performance.now() - startedAt) / 1000),
    passes,
    limitMib: LIMIT_MIB,
    peakRssMib: peakMib,
    wellBehaved: { acknowledged: beside.acknowledged.length, ...told, refusedAndSentAgain: beside.refusals },
    storms: results,
    problems,
  };
  writeFileSync(new URL('record.json', import.meta.url), `${JSON.stringify(record, null, 2)}\n`);
}
const failed = problems.length;
say(`${passes * storms.length - Math.min(passes * storms.length, failed)} passed, ${failed} failed, 0 skipped`);
process.exit(failed === 0 ? 0 : 1);

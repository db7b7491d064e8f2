/** The sections of docs/performance.md about the agent as a program. */
import { list, ms, range, share, tableOf, thousands, verdict, whole } from './performance-format.mjs';
import { explanationOf } from './performance-words.mjs';

export function hop({ table: rows, versions }) {
  const cpu = (program) => (program?.median === undefined ? '' : program.median.cpuPerMillion.toFixed(2));
  const without = versions.otelcol === undefined ? 'The Collector was not there: no ratio.' : '';
  const missed = rows.filter((row) => row.ratio !== undefined && row.ratio.ratio < row.goal);
  const failed = rows.flatMap((row) =>
    Object.entries(row.programs)
      .filter(([, program]) => program.runs.length === 0)
      .map(([name, program]) => `* ${row.what}, ${name}: not measured, ${program.failed ?? program.voids.at(-1)}`),
  );
  const voids = rows.flatMap((row) =>
    Object.entries(row.programs).flatMap(([name, { voids: all }]) => all.map((why) => `${row.name}, ${name}: ${why}`)),
  );
  const settings = rows
    .filter((row) => row.programs.ours?.settings.length > 0)
    .map((row) => `* ${row.what}: ${row.programs.ours.settings.map((one) => `\`--set ${one}\``).join(' ')}`);
  return [
    `CPU seconds per million items of one hop on one core, and how many times the agent's fit into the Collector's.${without}`,
    tableOf(
      ['work', 'goal', 'ours', 'Collector', 'TCP pipe', 'ratio', 'rounds from to', '95 %', ''],
      rows.map((row) => [
        row.what,
        `${row.goal}`,
        cpu(row.programs.ours),
        cpu(row.programs.collector),
        cpu(row.programs.pipe),
        row.ratio === undefined ? '' : `**${row.ratio.ratio.toFixed(2)}**`,
        row.ratio === undefined ? '' : range([row.ratio.min, row.ratio.max]),
        row.ratio === undefined ? '' : range(row.ratio.interval95),
        verdict(row.ratio && row.ratio.ratio >= row.goal),
      ]),
    ),
    'The pipe is a TCP proxy in Node that carries the same bytes and understands nothing: the floor.',
    ...rows.filter(({ work }) => work.beside !== undefined).map(({ what, work }) => `${what}: beside ${work.beside}.`),
    ...list(
      'Missed:',
      missed.map((row) => `* **${row.what}**, ${row.ratio.ratio.toFixed(2)} of ${row.goal}: ${explanationOf(row.name, row.name)}`),
    ),
    ...list('Failed:', failed),
    ...list('What the command line of ours said besides the file:', settings),
    ...membersWords(rows),
    `Rates and memory of the same runs, information only. A closed loop${loadWords(rows)}, so that the driver, the sink and the scheduler have a part in the rate:`,
    tableOf(
      ['work', 'ours, k items/s', 'Collector', 'ours, MiB at most', 'Collector'],
      rows.map((row) => [
        row.what,
        thousands(row.programs.ours?.median?.itemsPerSecond),
        thousands(row.programs.collector?.median?.itemsPerSecond),
        whole(row.programs.ours?.median?.rssPeakMiB),
        whole(row.programs.collector?.median?.rssPeakMiB),
      ]),
    ),
    voids.length === 0
      ? 'No run was void.'
      : `${voids.length} runs were void and made again: ${[...new Set(voids)].slice(0, 5).join('; ')}${voids.length > 5 ? '; …' : ''}.`,
  ].join('\n\n');
}

/** ` of 4 connections with 8 requests in flight on each (32 in: …)`; nothing where the file does not say it. */
function loadWords(rows) {
  const loads = Map.groupBy(
    rows.filter(({ work }) => work.inFlight !== undefined && work.connections !== undefined),
    // HTTP/1.1 carries one request at a time.
    ({ work: { protocol, connections, inFlight } }) =>
      protocol === 'http'
        ? `${connections * inFlight} connections with one request in flight on each`
        : `${connections} connections with ${inFlight} requests in flight on each`,
  );
  const [usual, ...others] = [...loads].toSorted(([, a], [, b]) => b.length - a.length);
  if (usual === undefined) return '';
  return ` of ${[usual[0], ...others.map(([words, those]) => `${words} (${those.map(({ what }) => what).join('; ')})`)].join(', or ')}`;
}

function membersWords(rows) {
  const check = rows.find(({ name }) => name === 'gzip-members')?.throughCollector;
  if (check === undefined) return [];
  if (check.failed !== undefined) return [`Members through a real Collector: failed, ${check.failed}.`];
  const all = check.delivered === check.sent ? 'every one of them arrived' : `**${check.delivered} arrived**`;
  return [
    `gzip members with a real Collector as the next hop: ${check.sent.toLocaleString('en-US')} spans sent, in ${check.requestsIn.toLocaleString('en-US')} requests; ${all}.`,
  ];
}

export function openLoop({ cases, seconds }) {
  const rows = cases.map(({ what, goal, summary, reached, runs, voids }) => {
    if (summary === undefined) return [what, 'not measured', '', '', '', '', `${voids.length}`, voids.at(-1) ?? ''];
    return [
      what,
      summary.allDelivered
        ? 'all'
        : `${runs.reduce((sum, run) => sum + run.delivered, 0)} of ${runs.reduce((sum, run) => sum + run.sent, 0)}`,
      ms(summary.p50Ms),
      `${ms(summary.p95Ms)} (worst ${ms(summary.worstP95Ms)})`,
      `${whole(summary.rssMiB)} MiB`,
      `${Math.round(summary.busy * 100)} %`,
      `${voids.length}`,
      `${verdict(reached)} (p95 < ${goal.p95Ms} ms, RSS < ${goal.rssMiB} MiB)`,
    ];
  });
  const missed = cases.filter(({ reached, summary }) => summary !== undefined && !reached);
  const highest = cases.flatMap(({ what, highest: found }) =>
    Object.entries(found).map(([kind, one]) => [
      what,
      kind === 'ours' ? 'ours' : 'Collector',
      one.itemsPerSecond === undefined ? 'none' : thousands(one.itemsPerSecond),
      one.p95Ms === undefined ? '' : ms(one.p95Ms),
      whole(one.rssMiB),
      one.limitedBy === 'bench' ? 'driver or sink could do no more' : 'the program',
    ]),
  );
  const balancers = cases.filter(({ balancer }) => balancer !== undefined);
  return [
    `${(cases[0]?.goal.itemsPerSecond ?? 540_000).toLocaleString('en-US')} spans/s offered to one core for ${seconds} s, whatever becomes of them; from the intended send time of a request until all of it is at the next hop:`,
    tableOf(['load', 'delivered', 'p50', 'p95', 'RSS at most', 'CPU busy', 'void runs', 'goal'], rows),
    ...list(
      'Missed:',
      missed.map(({ name, what }) => `* **${what}**: ${explanationOf(`open-${name}`, name === 'none-25' ? 'none-25' : 'none-512')}`),
    ),
    ...balancers.map(({ what, balancer }) => `${what}: exporter \`loadbalancing\` with \`${JSON.stringify(balancer)}\`.`),
    `The highest rate at which the 95th percentile stays below ${cases[0]?.goal.p95Ms ?? 65} ms, to 5 %:`,
    tableOf(['load', '', 'k spans/s', 'p95 there', 'MiB at most', 'what ended the search'], highest),
    'Below some 150 000 spans/s a batch of 8192 takes longer than that to fill: there the wait for a batch is what is measured, in both programs.',
  ].join('\n\n');
}

export function start({ goal, reached, results: { ours, collector }, idleSeconds }) {
  const rows = [
    ['one-file bundle', `< ${goal.bundleBytes / 1e6} MB`, `${(ours.bundleBytes / 1e6).toFixed(2)} MB`, '', 'bundleBytes'],
    ['start to ready', `< ${goal.startMs} ms`, ms(ours.startMs), collector === undefined ? '' : ms(collector.startMs), 'startMs'],
    [
      'idle RSS',
      `< ${goal.idleRssMiB} MiB`,
      `${whole(ours.idle.rssMiB)} MiB`,
      collector === undefined ? '' : `${whole(collector.idle.rssMiB)} MiB`,
      'idleRssMiB',
    ],
    [
      `idle CPU over ${idleSeconds} s, one open connection`,
      `< ${goal.idleCpuShare * 100} % of a core`,
      share(ours.idle.cpuShare),
      collector === undefined ? '' : share(collector.idle.cpuShare),
      'idleCpuShare',
    ],
  ];
  return [
    tableOf(
      ['', 'goal', 'ours', 'Collector', ''],
      rows.map(([what, limit, mine, theirs, key]) => [what, limit, mine, theirs, verdict(reached[key])]),
    ),
    ...list(
      'Missed:',
      rows.filter(([, , , , key]) => !reached[key]).map(([what, , , , key]) => `* **${what}**: ${explanationOf(`start.${key}`)}`),
    ),
  ].join('\n\n');
}

export function workers({ cases, pinned }) {
  const rows = cases.flatMap(({ what, goal, more }) =>
    more.map(({ workers: count, cpu, speed, rateNotMeasured, busy, cpuReached, rateReached }) => [
      what,
      `${count}`,
      cpu === undefined
        ? 'not measured'
        : `${cpu.ratio.toFixed(2)} (${range(cpu.interval95)}), at most ${goal.cpu}: ${verdict(cpuReached)}`,
      speed === undefined
        ? `rate not measured: ${rateNotMeasured}`
        : `${speed.ratio.toFixed(2)} (${range(speed.interval95)}), at least ${(goal.rate * count) / 2}: ${verdict(rateReached)}`,
      busy === null ? '' : `${Math.round(busy * 100)} %`,
    ]),
  );
  const missed = cases.filter(({ more }) => more.some(({ cpuReached, rateReached }) => cpuReached === false || rateReached === false));
  const equal = cases.find(({ name }) => name === 'equal');
  return [
    `Beside one worker on one core: ${pinned.workers.join('; ')}.`,
    ...(equal === undefined ? [] : [loadsOf(equal)]),
    tableOf(['work', 'workers', 'CPU per span, times that of one', 'rate, times that of one', 'their CPUs busy'], rows),
    ...list(
      'Missed:',
      missed.map(({ name, what }) => `* **${what}**: ${explanationOf(`workers.${name}`)}`),
    ),
    'The kernel spreads connections, not requests: one connection is one worker, which the log and a metric say.',
  ].join('\n\n');
}

/** What the rows compare, as they are not of one kind. */
function loadsOf({ perWorker, counts }) {
  const shares = Object.values(counts).flatMap(({ runs }) => runs.flatMap((run) => (run.shares === undefined ? [] : [run.shares[0]])));
  const spread =
    shares.length === 0
      ? ''
      : ` The kernel spreads connections by a hash, not evenly: the worker with most of them did ${whole(Math.min(...shares) * 100)} to ${whole(Math.max(...shares) * 100)} % of the work.`;
  return [
    'The first rows are closed loops: 64 connections, as fast as they are answered, whoever has to wait for whom.',
    `The last is an open loop that offers each worker the same, ${whole(perWorker.itemsPerSecond / 1000)} k spans/s over ${perWorker.connections} connections: one worker gets half of what two get.${spread}`,
  ].join(' ');
}

/** What a component costs, for the reference: read from the file that test/bench/agent-components.mjs wrote. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FILE = 'test/bench/results/agent-components.json';

const path = fileURLToPath(new URL(`../../${FILE}`, import.meta.url));
const bench = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;

/** One paragraph on where the numbers come from. */
export function aboutCosts() {
  if (bench === undefined) return [];
  const { cpu, cores, pinned } = bench.machine;
  return [
    `**Costs** are CPU seconds of the whole process for a million spans beyond those of the plain line, the median of ${bench.rounds} runs and in brackets the least and the most, each beside a run of the plain line; one core does 1/x million spans a second. The plain line took ${plainCpu().toFixed(2)} in the same runs. Measured: ${bench.what}; ${cpu}, ${cores} cores${pinned ? ', the agent pinned to one' : ''}, Node ${bench.node}, ${bench.date.slice(0, 10)}; \`npm run bench -- agent-components\` wrote [${FILE.split('/').at(-1)}](../../${FILE}).`,
  ];
}

/** The costs of a component as a table, or nothing where it was not measured. */
export function costsOf(section, type) {
  const mine = (bench?.results ?? []).filter((one) => one.of === `${section}.${type}`);
  if (mine.length === 0) return [];
  const rows = mine.map(({ what, added, ratio }) => {
    const spread = `${signed(added.median)} (${signed(added.min)} to ${signed(added.max)})`;
    return `| ${what} | ${spread} | ${ratio.median.toFixed(2)} |`;
  });
  return [['| costs | CPU s per million spans | plain line x |', '|---|---|---|', ...rows].join('\n')];
}

function plainCpu() {
  const all = bench.results.map((one) => one.plainCpuPerMillion).toSorted((a, b) => a - b);
  return all[Math.floor(all.length / 2)];
}

function signed(value) {
  return `${value < 0 ? '' : '+'}${value.toFixed(2)}`;
}

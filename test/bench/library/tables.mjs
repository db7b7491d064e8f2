/** The tables of docs/how-to/embed.md out of test/bench/results/library.json and library-memory.json. `node test/bench/library/tables.mjs` writes them there. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {{ kind: string, fault: string, outageSeconds: number, spans: number, lost: number, twice: number }} Loss
 * @typedef {{ kind: string, compression: string, cpuSecondsPerMillion: number, least: number, most: number, bytesPerSpan: number }} Cpu
 * @typedef {{ loss: Loss[], cpu: Cpu[], date: string, commit: string, versions: Record<string, string>, machine: { cpu: string, cores: number }, rounds: number }} LibraryResult
 * @typedef {{ spans: number, accounted: number, buffers: number, heap: number }} Waiting
 * @typedef {{ rows: Waiting[], date: string, node: string }} MemoryResult
 */

const KINDS = ['official grpc', 'agent grpc', 'official http', 'agent http'];
const HEADS = {
  'sdk alone': 'SDK alone',
  'official grpc': 'official, gRPC',
  'agent grpc': 'agent, gRPC',
  'official http': 'official, HTTP',
  'agent http': 'agent, HTTP',
};
/** Two transports say the same in different words. */
const ROWS = [
  ['restarts', 'restarts', 'restarts'],
  ['answers UNAVAILABLE / 503', 'answers UNAVAILABLE', 'answers 503'],
  [
    'answers RESOURCE_EXHAUSTED with RetryInfo / 429 with Retry-After',
    'answers RESOURCE_EXHAUSTED with RetryInfo',
    'answers 429 with Retry-After',
  ],
  ['hangs', 'hangs', 'hangs'],
];

/**
 * @param {LibraryResult} result
 * @returns {{ loss: string, cpu: string }}
 */
export function tablesOf({ loss, cpu, date, versions, machine, rounds }) {
  const outages = [...new Set(loss.map(({ outageSeconds }) => outageSeconds))];
  const lossRows = outages.flatMap((seconds) =>
    ROWS.map(([words, grpc, http]) => {
      const lost = KINDS.map((kind) => {
        const found = loss.find(
          (one) => one.kind === kind && one.outageSeconds === seconds && one.fault === (kind.endsWith('grpc') ? grpc : http),
        );
        return found === undefined ? '' : found.lost === 0 ? '0' : `${found.lost} of ${found.spans}`;
      });
      return [`${words}, ${seconds} s`, ...lost];
    }),
  );
  const cells = (compression, show) =>
    ['sdk alone', ...KINDS].map((kind) => {
      const found = cpu.find((one) => one.kind === kind && one.compression === compression);
      return found === undefined ? '' : show(found);
    });
  const cpuRows = ['none', 'gzip'].flatMap((compression) => [
    [
      `CPU s, ${compression}`,
      ...cells(compression, (one) => `${one.cpuSecondsPerMillion.toFixed(1)} (${one.least.toFixed(1)} to ${one.most.toFixed(1)})`),
    ],
    [`bytes of a span, ${compression}`, ...cells(compression, (one) => (one.kind === 'sdk alone' ? '' : one.bytesPerSpan.toFixed(0)))],
  ]);
  const when = `${date.slice(0, 10)}, Node ${versions.node}, ${machine.cores} cores of ${machine.cpu}, SDK ${versions['@opentelemetry/sdk-trace']}, exporters ${versions['@opentelemetry/exporter-trace-otlp-grpc']}`;
  return {
    loss: `${table(['the backend', ...KINDS.map((kind) => HEADS[kind])], lossRows)}\n${when}; sent twice: ${loss.reduce((sum, one) => sum + one.twice, 0)}.\n`,
    cpu: `${table(['', ...['sdk alone', ...KINDS].map((kind) => HEADS[kind])], cpuRows)}\n${when}; median of ${rounds} runs (least to most).\n`,
  };
}

/**
 * @param {MemoryResult} result
 * @returns {string}
 */
export function memoryTableOf({ rows, date, node }) {
  const bytes = (count) => count.toLocaleString('en-US');
  const cells = rows.map(({ spans, accounted, buffers, heap }) => [
    bytes(spans),
    bytes(accounted),
    bytes(buffers),
    bytes(heap),
    ((buffers + heap) / accounted).toFixed(2),
  ]);
  const head = ['spans in a request', 'bytes accounted', 'in buffers', 'on the heap', 'held / accounted'];
  return `${table(head, cells)}\n${date.slice(0, 10)}, Node ${node}; \`npm run bench -- library-memory\`.\n`;
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |\n`;
  return `\n${line(head)}|${head.map(() => '---|').join('')}\n${rows.map(line).join('')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = join(import.meta.dirname, '..', '..', '..');
  const path = join(root, 'docs/how-to/embed.md');
  let page = readFileSync(path, 'utf8');
  const resultOf = (name) => JSON.parse(readFileSync(join(root, `test/bench/results/${name}.json`), 'utf8'));
  const tables = { ...tablesOf(resultOf('library')), memory: memoryTableOf(resultOf('library-memory')) };
  for (const [name, text] of Object.entries(tables)) {
    page = page.replace(new RegExp(`<!-- ${name} -->[\\s\\S]*<!-- /${name} -->`), () => `<!-- ${name} -->\n${text}<!-- /${name} -->`);
  }
  writeFileSync(path, page);
}

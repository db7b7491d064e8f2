/** docs/reference/faults.md: the record of the longest run of `npm run faults`, from test/faults/record.json. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const RECORD = fileURLToPath(new URL('../../test/faults/record.json', import.meta.url));

const STORMS = {
  bodies: 'mutated bodies over gRPC and HTTP, protobuf and JSON, compressed ones too; every one must be answered',
  splits: 'valid requests, their frames cut anywhere over the writes, padded and continued; every one must be taken',
  connections: 'connections that are opened and left: silent, in the middle of a preface, of headers, of a body',
  headers: 'headers of 1 MiB over HTTP/1.1 and HTTP/2',
  floods:
    'frames without end: pings, settings, empty data, priorities, rapid resets, window updates that overflow or are zero, calls without a window',
  stalls: 'clients that hold half a body',
};

export async function generate() {
  if (!existsSync(RECORD)) return {};
  const record = JSON.parse(readFileSync(RECORD, 'utf8'));
  const { machine, wellBehaved, storms, problems, passes, seconds } = record;
  const rows = storms.map(({ storm, rounds }) => [
    `\`${storm}\``,
    STORMS[storm] ?? '',
    rounds.map(({ count }) => count.toLocaleString('en-US')).join(', '),
    rounds.map(({ seconds }) => seconds).join(', '),
    rounds.map(({ rssMib }) => rssMib).join(', '),
    rounds.map(({ clients }) => clients.p99Ms).join(', '),
  ]);
  const parts = [
    '# The agent under storms',
    'Written by `npm run docs` from test/faults/record.json; do not edit. `npm run faults` runs the same for four minutes in CI, with another seed each time.',
    `Each storm is played three times the same against the built agent (memory limit ${record.limitMib} MiB, batches to a next hop), after two storms to warm up. Beside it six well-behaved clients, grpc-js and keep-alive HTTP, send 5 spans each 25 ms and send again what is refused for now, as SDKs do. It fails when the agent ends, when a request that asks for an answer gets none, when memory after the third storm and a collection is more than a tenth above that after the first, or is ever above the limit, when the clients beside it wait longer than a second at the 99th percentile, and when one of their acknowledged spans is lost or comes twice.`,
    `Run of ${record.date.slice(0, 10)}, commit ${record.commit}, ${passes} passes over all storms in ${Math.round(seconds / 60)} minutes: \`${record.command}\`; ${machine.cpu}, ${machine.cores} cores shared with the storm itself, Node ${machine.node.slice(1)}.`,
    table(
      ['storm', 'what', 'requests, frames or connections in each round', 'seconds', 'RSS after it, MiB', 'p99 of the clients, ms'],
      rows,
    ),
    `Peak RSS ${record.peakRssMib} MiB. The clients beside the storms had ${wellBehaved.acknowledged.toLocaleString('en-US')} spans acknowledged: ${wellBehaved.lost} lost, ${wellBehaved.twice} twice. Refused for now and sent again: ${refusals(wellBehaved.refusedAndSentAgain)}.`,
    problems.length === 0 ? 'Nothing failed.' : `Failed:\n\n${problems.map((problem) => `* ${problem}`).join('\n')}`,
  ];
  return { 'docs/reference/faults.md': `${parts.join('\n\n')}\n` };
}

function refusals(counted) {
  const list = Object.entries(counted).map(([what, times]) => `${what} (${times})`);
  return list.length === 0 ? 'nothing' : list.join(', ');
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

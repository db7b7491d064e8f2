/** docs/reference/otlp.md: the statements of OTLP 1.11, where each is tested, and what the agent and the real Collector did in that test. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { STATEMENTS } from '../../test/agent/statements/statements.ts';
import { CLIENT_RUNS } from '../../test/real/statements/client-runs.ts';
import { COLLECTOR_NOTES } from '../../test/real/statements/notes.ts';
import { ROOT } from '../bootstrap.mjs';

const HEADINGS = {
  common: 'Everybody',
  'gRPC server': 'Servers over gRPC',
  'HTTP server': 'Servers over HTTP',
  JSON: 'JSON',
  client: 'Clients',
};
const RESULTS = 'test/real/statements/results.json';

export async function generate() {
  const results = JSON.parse(readFileSync(join(ROOT, RESULTS), 'utf8'));
  const found = (number) => results.statements[number] ?? {};
  const failures = STATEMENTS.filter(({ number }) => found(number).collector?.result === 'failed');
  const parts = [
    '# OTLP 1.11, statement by statement',
    'Written by `npm run docs` from `test/agent/statements/statements.ts` and the record of a run; do not edit.',
    'The specification (opentelemetry-proto v1.11.0, `docs/specification.md`) in 41 statements. Each has one test of its number, which starts' +
      ' the program (`node agent/main.ts --config ...`), speaks to it over real sockets as a client, and answers it as a scripted next hop.' +
      ' The lane `node` is `npm test`, the lane `real` is `npm run test:real`, which runs the same tests against' +
      ` the OpenTelemetry Collector ${results.collector} with the same configuration and demands that what is found is what stands here.`,
    `Recorded ${results.recorded} with Node ${results.node}: the agent ${count(STATEMENTS, (one) => found(one.number).agent)}, ` +
      `the Collector ${count(STATEMENTS, (one) => found(one.number).collector)}.`,
    ...Object.keys(HEADINGS).flatMap((part) => [
      `## ${HEADINGS[part]}`,
      table(
        ['', 'statement', '', 'clause', 'test', 'lanes', 'agent', `Collector ${results.collector}`],
        STATEMENTS.filter((one) => one.part === part).map(({ number, text, level, clause, file }) => [
          String(number).padStart(2, '0'),
          text,
          level,
          clause,
          `[${file}](../../test/agent/statements/${file})`,
          'node, real',
          word(found(number).agent),
          word(found(number).collector),
        ]),
      ),
    ]),
    '## What the Collector did otherwise',
    'Each with the first thing that its test found, where it stops. These are tests of the wording: most of the differences are harmless,' +
      ' and several statements are a SHOULD or a MAY.',
    table(
      ['', 'in words', 'what the test found'],
      failures.map(({ number }) => [String(number).padStart(2, '0'), COLLECTOR_NOTES[number] ?? '', `\`${found(number).collector.why}\``]),
    ),
    '## Other clients',
    'The statements that bind a server, again with clients that people use, in the lane `real` (`test/real/statements/clients.test.ts`):',
    table(
      ['client', 'statements', 'how it comes here'],
      CLIENT_RUNS.map(({ client, statements, source }) => [
        client,
        statements.map((one) => String(one).padStart(2, '0')).join(', '),
        source,
      ]),
    ),
    'Record anew with `OTLP_STATEMENTS_RECORD=1 npm run test:real -- test/real/statements/statements.test.ts`, then `npm run docs`.',
  ];
  return { 'docs/reference/otlp.md': `${parts.join('\n\n')}\n` };
}

function word(finding) {
  return finding?.result ?? 'not run';
}

function count(statements, of) {
  const passed = statements.filter((one) => of(one)?.result === 'passed').length;
  return `passed ${passed} of ${statements.length}`;
}

function table(head, rows) {
  return [head, head.map(() => '---'), ...rows]
    .map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

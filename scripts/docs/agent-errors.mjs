/** docs/reference/errors.md: the error contract of the agent, from the tables beside its parts. */
import { REFUSALS } from '../../agent/admit/errors.ts';
import { EXIT, PROGRAM_ERRORS } from '../../agent/commands/exit-codes.ts';
import { CONFIG_ERRORS } from '../../agent/config/errors.ts';
import { grpcStatusName } from '../../agent/runtime/grpc-status.ts';

const EXIT_WORDS = {
  [EXIT.OK]:
    'Ended as asked: drained after SIGTERM or SIGINT (what could not be delivered is counted and logged), or the command did what it says.',
  [EXIT.FAILED]: 'The configuration is wrong, an address cannot be listened on, or `health-check` found the agent not ready.',
  [EXIT.USAGE]: 'The command line is wrong.',
  [EXIT.CRASHED]: 'A bug: an exception that nothing caught.',
};

export async function generate() {
  const parts = [
    '# Errors of the agent',
    'Written by `npm run docs` from the tables in `agent/`; do not edit. Every message ends with its code, so that it can be looked for here.',
    '## Answers to senders',
    'What a sender gets instead of success. *Again* says whether the same bytes may be sent again; then the answer carries RetryInfo (gRPC) or Retry-After (HTTP).',
    table(
      ['code', 'message', 'gRPC', 'HTTP', 'again', 'what to do'],
      Object.values(REFUSALS).map(({ code, message, grpc, http, retryable, remedy }) => [
        `\`${code}\``,
        message,
        grpcStatusName(grpc),
        String(http),
        retryable ? 'yes' : 'no',
        remedy,
      ]),
    ),
    '## Configuration',
    'Found before any port is bound; all of them are listed at once, each with file, line and path. Exit code 1.',
    table(
      ['code', 'what is wrong', 'what to do'],
      entries(CONFIG_ERRORS).map(([code, { message, remedy }]) => [code, message, remedy]),
    ),
    '## The program',
    table(
      ['code', 'what is wrong', 'exit code', 'what to do'],
      entries(PROGRAM_ERRORS).map(([code, { message, remedy, exitCode }]) => [code, message, String(exitCode), remedy]),
    ),
    '## Exit codes',
    table(
      ['code', 'meaning'],
      Object.values(EXIT).map((code) => [String(code), EXIT_WORDS[code]]),
    ),
  ];
  return { 'docs/reference/errors.md': `${parts.join('\n\n')}\n` };
}

function entries(errors) {
  return Object.entries(errors).map(([code, entry]) => [`\`${code}\``, entry]);
}

function table(head, rows) {
  return [head, head.map(() => '---'), ...rows]
    .map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

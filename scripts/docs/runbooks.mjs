/** One page per alert under docs/runbooks/, and their index; everything in them comes from the typed alerts of the reference stack. */
import { App } from 'cdk8s';
import stack from '../../lib/stack/build/index.js';

const FOLDER = 'docs/runbooks';

export async function generate() {
  const { groups } = new stack.OtlpStack(new App(), 'otlp').prometheus.observability.rules;
  const alerts = groups.flatMap((group) => group.alerts);
  return Object.fromEntries([
    [`${FOLDER}/README.md`, index(groups)],
    ...alerts.map((alert) => [`${FOLDER}/${alert.runbook}`, page(alert)]),
  ]);
}

function page(alert) {
  const holdFor = alert.holdFor ? `after ${minutes(alert.holdFor)}` : 'at once';
  return text([
    `# ${alert.name}`,
    `Severity **${alert.severity.name}**, fires ${holdFor}. [All alerts](README.md)`,
    '## Meaning',
    alert.meaning,
    code(alert.expr.print()),
    '## Impact',
    alert.impact,
    '## Diagnosis',
    ...alert.diagnosis.flatMap(({ question, query }) => [question, code(query.print())]),
    '## Remedy',
    alert.remedy.map((step, at) => `${at + 1}. ${step}`).join('\n'),
  ]);
}

function index(groups) {
  const withAlerts = groups.filter((group) => group.alerts.length > 0);
  return text([
    '# Runbooks',
    'One page per alert of the reference stack: what it means, what users notice, which queries find the cause, and what to do. The queries are those of a stack with the default names; `npm run docs` writes these pages from the typed alerts in `lib/stack/observe/alerts`.',
    ...withAlerts.flatMap((group) => [
      `## ${group.name}`,
      [
        '| alert | severity | fires after | summary |',
        '|---|---|---|---|',
        ...group.alerts.map(
          (alert) =>
            `| [${alert.name}](${alert.runbook}) | ${alert.severity.name} | ${alert.holdFor ? minutes(alert.holdFor) : 'at once'} | ${summary(alert)} |`,
        ),
      ].join('\n'),
    ]),
  ]);
}

/** The summary as somebody reads it who has no particular pod in mind. */
function summary(alert) {
  return alert.summary.replace(/\{\{\s*\$labels\.(\w+)\s*\}\}/g, '*$1*');
}

function minutes(duration) {
  return `${duration.toMinutes()} min`;
}

function code(promql) {
  return `\`\`\`promql\n${promql}\n\`\`\``;
}

function text(blocks) {
  return `${blocks.join('\n\n')}\n`;
}

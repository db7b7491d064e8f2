import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'cdk8s';
import { OtlpStack } from 'otlp-stack';
import { describe, expect, it } from 'vitest';

const FOLDER = join(import.meta.dirname, '../../../../docs/runbooks');
const { rules } = new OtlpStack(new App(), 'otlp').prometheus.observability;
const alerts = rules.groups.flatMap((group) => group.alerts);

describe('the runbooks', () => {
  it('are one page per alert and an index, and nothing else', () => {
    expect(readdirSync(FOLDER).sort()).toEqual(['README.md', ...alerts.map(({ runbook }) => runbook)].sort());
  });

  it.each(alerts.map((alert) => [alert.name, alert] as const))('%s has a page with its own expression and queries', (_, alert) => {
    const page = readFileSync(join(FOLDER, alert.runbook), 'utf8');
    expect(page).toContain(`# ${alert.name}\n`);
    for (const query of [alert.expr, ...alert.diagnosis.map((diagnosis) => diagnosis.query)]) {
      expect(page).toContain(query.print());
    }
  });
});

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CliResult, newFolder, runCli } from './run-cli.ts';

const CONFIG_MAP = ['apiVersion: v1', 'kind: ConfigMap', 'metadata:', '  name: something', '  namespace: shop', 'data: {}', ''].join('\n');

/** One line on standard error, nothing else. */
function expectOneLine({ code, stdout, stderr }: CliResult): string {
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  return stderr.trimEnd();
}

describe.each(['rehearse', 'secrets', 'requirements'])('%s fails on', (command) => {
  it('a folder that is not there', async () => {
    const missing = join(newFolder(), 'nowhere');
    expect(expectOneLine(await runCli([command, missing]))).toBe(
      `${missing}: no such file or folder. Give the folder that holds the rendered manifests.`,
    );
  });

  it('an empty folder', async () => {
    const folder = newFolder();
    const line = expectOneLine(await runCli([command, folder]));
    expect(line).toBe(`${folder}: no .yaml, .yml or .json file in this folder. Render the manifests into it first.`);
  });

  it('YAML that does not parse, with file and line', async () => {
    const file = join(newFolder(), 'broken.yaml');
    writeFileSync(file, `${CONFIG_MAP}more: [1, 2\n`);
    expect(expectOneLine(await runCli([command, file]))).toMatch(new RegExp(`^${file}:\\d+: not valid YAML: .+\\. Correct the YAML\\.$`));
  });

  it('files without a Kubernetes object', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'charts'));
    writeFileSync(join(folder, 'charts', 'values.yaml'), 'replicas: 3\n');
    expect(expectOneLine(await runCli([command, folder]))).toContain('no Kubernetes object in it');
  });
});

describe('rehearse fails on', () => {
  it('manifests without our service, and says what they hold', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'all.yaml'), CONFIG_MAP);
    const line = expectOneLine(await runCli(['rehearse', folder]));
    expect(line).toContain(`${folder}: no pod with an agent beside an application: no workload`);
    expect(line).toContain('otlp-stack synth');
  });

  it('an agent configuration that is not YAML, at its line in the manifest', async () => {
    const file = join(newFolder(), 'all.yaml');
    const lines = [
      'apiVersion: v1',
      'kind: ConfigMap',
      'metadata: { name: agent, namespace: shop }',
      'data:',
      '  agent.yaml: |',
      '    receivers: [',
      '',
    ];
    writeFileSync(file, lines.join('\n'));
    const line = expectOneLine(await runCli(['rehearse', file]));
    expect(line).toMatch(new RegExp(`^${file}:[5-7]: not valid YAML`));
  });
});

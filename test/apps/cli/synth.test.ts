import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { newFolder, runCli } from './run-cli.ts';

interface Printed {
  readonly output: string;
  readonly objects: readonly { readonly component: string; readonly kind: string; readonly namespace: string; readonly name: string }[];
}

describe('synth', () => {
  it('prints into ./dist and shows the objects by component and kind', async () => {
    const cwd = newFolder();
    const { code, stdout, stderr } = await runCli(['synth'], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    // kubectl applies in the order of the names.
    expect(readdirSync(join(cwd, 'dist')).sort()[0]).toMatch(/^0+-.*namespaces\.k8s\.yaml$/);
    expect(stdout).toMatch(/│ otlp-service +│ +\d+ +│/);
    expect(stdout).toContain('ScaledObject');
    expect(stdout).toMatch(/\d+ objects in dist\/\n$/);
  });

  it('replaces the manifests of an earlier run and touches nothing else, and --json lists every object', async () => {
    const output = join(newFolder(), 'manifests');
    await runCli(['synth', '--output', output]);
    writeFileSync(join(output, 'stale.k8s.yaml'), 'old: true\n');
    writeFileSync(join(output, 'README.md'), 'mine\n');
    const { code, stdout } = await runCli(['synth', '--output', output, '--profile', 'development', '--json']);
    const { objects } = JSON.parse(stdout) as Printed;
    expect(code).toBe(0);
    expect(existsSync(join(output, 'stale.k8s.yaml'))).toBe(false);
    expect(readFileSync(join(output, 'README.md'), 'utf8')).toBe('mine\n');
    expect(objects).toContainEqual({ component: 'otlp-service', kind: 'Deployment', namespace: 'observability', name: 'otlp-service' });
    expect(objects.map(({ kind }) => kind)).not.toContain('ScaledObject');
  });

  it('prints what the cdk8s app prints', async () => {
    const [ours, theirs] = [join(newFolder(), 'a'), join(newFolder(), 'b')];
    await runCli(['synth', '--output', ours]);
    const main = fileURLToPath(new URL('../../../apps/cdk8s/main.ts', import.meta.url));
    await promisify(execFile)(process.execPath, [main], { env: { ...process.env, CDK8S_OUTDIR: theirs } });
    expect(readdirSync(ours)).toEqual(readdirSync(theirs));
    for (const file of readdirSync(ours)) expect(readFileSync(join(ours, file), 'utf8')).toBe(readFileSync(join(theirs, file), 'utf8'));
  });

  it('fails when the output is a file', async () => {
    const output = join(newFolder(), 'taken');
    writeFileSync(output, 'mine\n');
    const { code, stdout, stderr } = await runCli(['synth', '--output', output]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(`${output}: is a file, and the manifests need a folder. Give another name with --output.\n`);
  });
});

describe('graph', () => {
  it('draws SVG to standard output', async () => {
    const { code, stdout } = await runCli(['graph']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/<svg /);
    expect(stdout).toContain('>jaeger<');
  });

  it('draws Mermaid into a file', async () => {
    const output = join(newFolder(), 'stack.mmd');
    expect(await runCli(['graph', '--format', 'mermaid', '--output', output])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(existsSync(output)).toBe(true);
  });

  it('lists components and edges with --json', async () => {
    const { stdout } = await runCli(['graph', '--json']);
    const { components, edges } = JSON.parse(stdout) as { components: { name: string }[]; edges: object[] };
    expect(components.map(({ name }) => name)).toContain('jaeger');
    expect(edges).toContainEqual({ from: 'otel-collector', to: 'jaeger', endpoint: 'otlp-grpc', protocol: 'otlp-grpc', purpose: 'traces' });
  });
});

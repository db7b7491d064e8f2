import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

  it('replaces what was there, and --json lists every object', async () => {
    const output = join(newFolder(), 'manifests');
    await runCli(['synth', '--output', output]);
    writeFileSync(join(output, 'stale.yaml'), 'old: true\n');
    const { code, stdout } = await runCli(['synth', '--output', output, '--profile', 'development', '--json']);
    const { objects } = JSON.parse(stdout) as Printed;
    expect(code).toBe(0);
    expect(existsSync(join(output, 'stale.yaml'))).toBe(false);
    expect(objects).toContainEqual({ component: 'otlp-service', kind: 'Deployment', namespace: 'observability', name: 'otlp-service' });
    expect(objects.map(({ kind }) => kind)).not.toContain('ScaledObject');
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

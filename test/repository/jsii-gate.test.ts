import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../support/run.ts';
import { ROOT, scratch } from './scratch.ts';

const PACKAGE = JSON.stringify({ name: 'scratch', version: '1.0.0', description: 'scratch', license: 'Apache-2.0' });

async function gate(source: string): Promise<{ code: number; output: string }> {
  const folder = scratch({ 'package.json': PACKAGE, 'index.ts': source });
  return run(process.execPath, [join(ROOT, 'scripts', 'jsii-gate.mjs'), folder]);
}

describe('the jsii gate', () => {
  it('accepts closed choices as classes, lists, maps, and an open configuration as object', async () => {
    const { code, output } = await gate(`
      export class Mode { public static readonly FAST = new Mode('fast'); private constructor(public readonly name: string) {} }
      export enum Level { LOW = 'low', HIGH = 'high' }
      export interface Props { readonly mode?: Mode; readonly level?: Level; readonly open?: object; readonly labels: { [key: string]: string }; readonly list?: string[] }
      export class Thing { public static readonly KIND = 'thing'; constructor(private readonly props: Props) {} public labels(): { [key: string]: string } { return this.props.labels; } }
    `);
    expect(code, output).toBe(0);
    expect(output).toContain('4 public types, 0 not fit');
  });

  it('fails on any, unions and literals, each with its place', async () => {
    const { code, output } = await gate(
      [
        'export interface Props {',
        '  readonly open: any;',
        '  readonly port: string | number;',
        "  readonly mode?: 'fast' | 'slow';",
        "  readonly modes: { [key: string]: 'a' | 'b' };",
        '}',
        'export class Thing {',
        "  public level(_of: 1 | 2): 'x' | undefined { return undefined; }",
        '}',
      ].join('\n'),
    );
    expect(code).toBe(1);
    for (const finding of [
      "index.ts:2: Props.open: is 'any'",
      'index.ts:3: Props.port: is the union',
      'index.ts:4: Props.mode: its literals "fast" | "slow"',
      'index.ts:5: Props.modes: its literals "a" | "b"',
      'index.ts:8: Thing.level(_of): its literals 1 | 2',
      'index.ts:8: Thing.level(): its literals "x"',
    ]) {
      expect(output).toContain(finding);
    }
  });

  it('fails with the words of jsii on what jsii refuses itself', async () => {
    const { code, output } = await gate('export interface Props { readonly seen: Map<string, string> }\n');
    expect(code).toBe(1);
    expect(output).toContain('jsii does not accept the public API');
  });
});

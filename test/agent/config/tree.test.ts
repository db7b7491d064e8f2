import { describe, expect, it } from 'vitest';
import { type ConfigNode, findPath, mergeNodes, plain, printOrigin, printPath } from '../../../agent/config/tree.ts';
import { parseYaml } from '../../../agent/config/yaml.ts';

function read(text: string, source: string): ConfigNode {
  const result = parseYaml(text, source);
  if ('problems' in result) throw new Error(source);
  return result.node;
}

describe('the configuration as a tree', () => {
  it('joins maps key by key; lists, scalars and empty keys replace', () => {
    const merged = mergeNodes(read('a: {x: 1, y: [1, 2], z: {k: v}}\nb: 1\n', 'one'), read('a: {y: [3], z: }\nc: 2\n', 'two'));
    expect(plain(merged)).toEqual({ a: { x: 1n, y: [3n], z: null }, b: 1n, c: 2n });
  });

  it('names the source that said it last', () => {
    const merged = mergeNodes(read('a: {x: 1, y: 2}\n', 'one.yaml'), read('\na: {y: 3}\n', 'two.yaml'));
    expect(findPath(merged, 'a.x')).toMatchObject({ source: 'one.yaml', line: 1 });
    expect(findPath(merged, 'a.y')).toMatchObject({ source: 'two.yaml', line: 2 });
  });

  it('finds printed paths whose ids hold dots', () => {
    const root = read('receivers:\n  otlp/a.b:\n    protocols:\n      grpc:\n', 'agent.yaml');
    expect(findPath(root, 'receivers.otlp/a.b.protocols.grpc.endpoint')).toMatchObject({ line: 4 });
    expect(findPath(root, 'exporters.x')).toBeUndefined();
  });

  it('prints paths and places', () => {
    expect(printPath(['a', 'b/c', 0, 'd'])).toBe('a.b/c[0].d');
    expect(printOrigin({ source: 'x.yaml', line: 3, column: 1 })).toBe('x.yaml:3');
    expect(printOrigin({ source: '--set a', line: 0, column: 0 })).toBe('--set a');
  });
});

import { describe, expect, it } from 'vitest';
import { disagreement, newEnough } from '../../scripts/bootstrap.mjs';

const entry = (version: string, more: object = {}): object => ({ version, integrity: `sha512-${version}`, ...more });
const lock = {
  packages: {
    '': { name: 'root' },
    'node_modules/a': entry('1.0.0'),
    'node_modules/ours': { link: true, resolved: 'agent' },
    'node_modules/elsewhere': entry('1.0.0', { os: ['no-such-system'], optional: true }),
    'node_modules/optional': entry('1.0.0', { optional: true }),
  },
};
const installed = { 'node_modules/a': entry('1.0.0'), 'node_modules/ours': { link: true, resolved: 'agent' } };

describe('what is installed', () => {
  it('agrees when every package is there as locked; optional ones and those of other platforms may be absent', () => {
    expect(disagreement(lock, { packages: installed })).toBeUndefined();
    expect(disagreement(lock, { packages: { ...installed, 'node_modules/optional': entry('1.0.0') } })).toBeUndefined();
  });

  it.each([
    ['nothing is installed', undefined, 'node_modules'],
    ['a package is missing', { packages: {} }, 'node_modules/a'],
    ['a package has another version', { packages: { ...installed, 'node_modules/a': entry('1.0.1') } }, 'node_modules/a'],
    [
      'a package has other contents',
      { packages: { ...installed, 'node_modules/a': entry('1.0.0', { integrity: 'sha512-x' }) } },
      'node_modules/a',
    ],
    [
      'a package is optional but outdated',
      { packages: { ...installed, 'node_modules/optional': entry('0.9.0') } },
      'node_modules/optional',
    ],
  ])('fails to agree when %s', (_, hidden, path) => {
    expect(disagreement(lock, hidden)).toBe(path);
  });
});

it.each([
  ['20.20.2', false],
  ['22.18.0', false],
  ['22.19.0', true],
  ['24.0.0', true],
  ['26.10.0', true],
])('Node %s is new enough to go on with: %s', (version, expected) => {
  expect(newEnough(version)).toBe(expected);
});

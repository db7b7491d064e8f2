import { describe, expect, it } from 'vitest';
import { fillIn, resolved } from '../../../../lib/check/wiring/variables';

const environment = new Map([
  ['HOST', 'es'],
  ['PORT', '9200'],
]);

describe('fillIn', () => {
  it.each([
    ['$(HOST):$(PORT)', 'es:9200'],
    ['${env:HOST}:${PORT}', 'es:9200'],
    ["#{ENV['HOST']}", 'es'],
    ['${env:NONE:-localhost}', 'localhost'],
    ["#{ENV['NONE'] || 'localhost'}", 'localhost'],
    ['no variable', 'no variable'],
  ])('fills %s in', (text, expected) => {
    expect(fillIn(text, environment)).toBe(expected);
  });

  it('fails to fill in what the manifest does not hold', () => {
    expect(fillIn('${env:MY_POD_IP}:4317', environment)).toBeUndefined();
  });
});

describe('resolved', () => {
  it('fills in what stands before, as Kubernetes does, and leaves out what it cannot know', () => {
    const values = new Map([
      ['URL', 'http://$(HOST)'],
      ['HOST', 'es'],
      ['LATER', 'http://$(HOST)'],
    ]);
    expect([...resolved(values)]).toEqual([
      ['HOST', 'es'],
      ['LATER', 'http://es'],
    ]);
  });
});

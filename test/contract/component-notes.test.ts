import { describe, expect, it } from 'vitest';
import { COMPONENTS } from '../../agent/config/registry.ts';
import { NOTES } from '../../scripts/docs/component-notes.mjs';

describe('the reference of the components', () => {
  it('says of each what it does with the bytes, what it may drop and what counts it, and of no other', () => {
    const all = Object.entries(COMPONENTS).flatMap(([section, components]) => components.map(({ type }) => `${section}/${type}`));
    expect(Object.keys(NOTES).toSorted()).toEqual(all.toSorted());
  });
});

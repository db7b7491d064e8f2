import { describe, expect, it } from 'vitest';
import { COMPONENTS } from '../../agent/config/registry.ts';
import { NOTES } from '../../scripts/docs/component-notes.mjs';

describe('the reference of the components', () => {
  it('says of each what it does with the bytes, what it may drop and what counts it, and of no other', () => {
    const all = Object.entries(COMPONENTS).flatMap(([section, components]) => components.map(({ type }) => `${section}/${type}`));
    expect(Object.keys(NOTES).toSorted()).toEqual(all.toSorted());
    const written = NOTES as Readonly<Record<string, { readonly bytes?: string }>>;
    // In one place only: the definition of the component where explain shows it, else the notes.
    for (const [section, components] of Object.entries(COMPONENTS))
      for (const { type, dataPath } of components)
        expect([type, dataPath !== undefined, written[`${section}/${type}`]?.bytes !== undefined]).toEqual([
          type,
          dataPath !== undefined,
          dataPath === undefined,
        ]);
  });
});

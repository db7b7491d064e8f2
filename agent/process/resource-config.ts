import { component } from '../config/component.ts';
import type { Output } from '../config/section.ts';
import { section, sectionList } from '../config/section.ts';
import { SIGNALS } from '../config/settings.ts';
import type { AttributeAction } from './actions/action.ts';
import { actionShape, buildActions } from './actions/action-config.ts';

export interface ResourceSettings {
  readonly kind: 'resource';
  readonly id: string;
  readonly actions: readonly AttributeAction[];
}

const shape = { attributes: sectionList(actionShape, { describe: 'Actions, in order.' }) };

/** Processor `resource`. The rules are those of coreinternal/attraction upstream, which also looks only at processors that a pipeline uses. */
export const resourceProcessor = component<Output<typeof shape>, ResourceSettings>({
  type: 'resource',
  signals: SIGNALS,
  describe: 'Sets, removes, hashes, takes apart and converts resource attributes, in place: only the resource is read.',
  dataPath: {
    bytes: 'edits in place: the attributes of resources are written anew, items are neither looked at nor copied',
  },
  config: section(shape, {
    describe: 'Acts on resource attributes.',
    check: ({ attributes }, report) => {
      if (attributes === undefined || attributes.length === 0) report('attributes', 'needs at least one action', 'OTLP_CONFIG_MISSING');
    },
  }),
  build: ({ attributes }, context) => ({
    kind: 'resource',
    id: context.id,
    actions: buildActions(attributes ?? [], 'attributes', context),
  }),
});

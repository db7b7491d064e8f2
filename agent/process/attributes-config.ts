import { component } from '../config/component.ts';
import type { Output } from '../config/section.ts';
import { section, sectionList } from '../config/section.ts';
import type { AttributeAction } from './actions/action.ts';
import { actionShape, buildActions } from './actions/action-config.ts';
import type { MatchSettings } from './match/match.ts';
import { buildMatch, matchField } from './match/match-config.ts';

export interface AttributesSettings extends MatchSettings {
  readonly kind: 'attributes';
  readonly id: string;
  readonly actions: readonly AttributeAction[];
}

const shape = {
  include: matchField('What is processed; all where it is absent.'),
  exclude: matchField('What of that is not processed.'),
  actions: sectionList(actionShape, { describe: 'Actions, in order.' }),
};

/** Processor `attributes`. The rules are those of attributesprocessor, coreinternal/attraction and internal/filter upstream. */
export const attributesProcessor = component<Output<typeof shape>, AttributesSettings>({
  type: 'attributes',
  signals: ['traces', 'metrics', 'logs'],
  describe:
    'Sets, removes, hashes, takes apart and converts attributes of spans, data points and log records, in place; with include or exclude what these name is read, too.',
  dataPath: {
    bytes:
      'edits in place: of an item only the attributes that an action or a condition names are read, what was not changed keeps its bytes',
  },
  config: section(shape, {
    describe: 'Acts on attributes of spans, data points and log records.',
    check: ({ actions }, report) => {
      if (actions === undefined || actions.length === 0) report('actions', 'needs at least one action', 'OTLP_CONFIG_MISSING');
    },
  }),
  build: ({ include, exclude, actions }, context) => {
    const included = buildMatch(include, 'include', context);
    const excluded = buildMatch(exclude, 'exclude', context);
    return {
      kind: 'attributes',
      id: context.id,
      ...(included && { include: included }),
      ...(excluded && { exclude: excluded }),
      actions: buildActions(actions ?? [], 'actions', context),
    };
  },
});

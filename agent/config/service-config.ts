import type { Field } from './fields.ts';
import { leaf } from './fields.ts';
import { parseId } from './ids.ts';
import type { Output } from './section.ts';
import { section } from './section.ts';
import { Expanded } from './tree.ts';

/** A list of component ids; one text with commas is none, as in the Collector. */
function idList(describe: string): Field<readonly string[]> {
  return leaf<readonly string[]>('list', { describe, default: [] }, [], (value) => {
    if (!Array.isArray(value)) return { wrong: 'wants a list, as [otlp, otlp/2]' };
    const ids: string[] = [];
    for (const item of value as readonly unknown[]) {
      const text = item instanceof Expanded ? item.original : item;
      if (typeof text !== 'string') return { wrong: 'wants a list of component ids' };
      const id = parseId(text);
      if (typeof id === 'string') return { wrong: id };
      ids.push(id.text);
    }
    return { value: ids };
  });
}

const pipelineShape = {
  receivers: idList('Where the pipeline gets its data from.'),
  processors: idList('What is done to it, in this order.'),
  exporters: idList('Where it goes; each gets all of it.'),
};

export type PipelineConfig = Output<typeof pipelineShape>;

/** One place of `service.pipelines`. */
export const PIPELINE_CONFIG = section(pipelineShape, {
  describe: 'A pipeline: `traces`, `metrics`, `logs` or `profiles`, with `/name` where there are several.',
  check: (config, report) => {
    if (config.receivers.length === 0) report('receivers', 'needs at least one receiver', 'OTLP_CONFIG_PIPELINE');
    if (config.exporters.length === 0) report('exporters', 'needs at least one exporter', 'OTLP_CONFIG_PIPELINE');
    const repeated = config.processors.find((id, index) => config.processors.indexOf(id) !== index);
    if (repeated !== undefined) report('processors', `names "${repeated}" twice`, 'OTLP_CONFIG_PIPELINE');
  },
});

/** `service.extensions`. */
export const EXTENSION_LIST: Field<readonly string[]> = idList('Extensions to start.');

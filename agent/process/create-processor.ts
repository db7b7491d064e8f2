import type { ProcessorSettings, Signal } from '../config/settings.ts';
import type { ProcessorCounters } from '../telemetry/counters.ts';
import type { Log } from '../telemetry/log.ts';
import { AttributesProcessor } from './attributes.ts';
import { FilterProcessor } from './filter.ts';
import type { Prepared } from './prepare.ts';
import { ProbabilisticSampler } from './probabilistic-sampler.ts';
import type { Processor } from './process.ts';
import { RedactionProcessor } from './redaction.ts';
import { ResourceProcessor } from './resource.ts';
import { ResourceDetectionProcessor } from './resource-detection.ts';
import { TransformProcessor } from './transform.ts';

/** What surrounds a processor. */
export interface ProcessorHost {
  readonly log: Log;
  readonly counters: ProcessorCounters;
  readonly prepared: Prepared;
}

/** The processor of a pipeline; undefined for those that act elsewhere: a memory_limiter acts in admit and is only counted here. */
export function createProcessor(settings: ProcessorSettings, signal: Signal, host: ProcessorHost): Processor | undefined {
  switch (settings.kind) {
    case 'attributes':
      return new AttributesProcessor(settings, signal);
    case 'filter':
      return new FilterProcessor(settings, signal, host);
    case 'memory_limiter':
      return undefined;
    case 'probabilistic_sampler':
      return new ProbabilisticSampler(settings, signal, host.counters);
    case 'redaction':
      return new RedactionProcessor(settings, signal);
    case 'resource_detection': {
      const detection = host.prepared.get(settings.id);
      if (detection === undefined) throw new Error(`processor ${settings.id} was not prepared`);
      return new ResourceDetectionProcessor(settings, signal, detection);
    }
    case 'resource':
      return new ResourceProcessor(settings, signal);
    case 'transform':
      return new TransformProcessor(settings, signal, host);
  }
}

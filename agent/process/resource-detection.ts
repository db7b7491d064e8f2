import type { Signal } from '../config/settings.ts';
import { RequestView } from '../otlp/view/request.ts';
import { MalformedError } from '../otlp/wire.ts';
import type { Detection } from './detect/detection.ts';
import type { Body, Processor } from './process.ts';
import type { ResourceDetectionSettings } from './resource-detection-config.ts';

/**
 * Processor `resource_detection`: sets on each resource what the detectors found at start.
 * In:       a request. Out: the same with its resources rewritten; everything else keeps its bytes.
 * May drop: nothing.
 * Counters: otelcol_processor_{incoming,outgoing}_items.
 * Bench:    test/bench/agent-components
 */
export class ResourceDetectionProcessor implements Processor {
  readonly #signal: Signal;
  readonly #override: boolean;
  readonly #detection: Detection;

  constructor(settings: ResourceDetectionSettings, signal: Signal, detection: Detection) {
    this.#signal = signal;
    this.#override = settings.override;
    this.#detection = detection;
    detection.acquire();
  }

  process(body: Body): Body | string {
    const { attributes: found, schemaUrl } = this.#detection.current;
    if (found.size === 0) return body;
    try {
      const view = new RequestView(this.#signal, body);
      for (const resource of view.resources) {
        const { attributes } = resource;
        for (const [key, value] of found) if (this.#override || !attributes.has(key)) attributes.set(key, value);
        // One that somebody set stays: its attributes are not converted.
        if (schemaUrl !== '' && resource.schemaUrl === '') resource.schemaUrl = schemaUrl;
      }
      return view.toBody();
    } catch (error) {
      if (error instanceof MalformedError) return `resource cannot be read: ${error.message}`;
      throw error;
    }
  }

  close(): void {
    this.#detection.release();
  }
}

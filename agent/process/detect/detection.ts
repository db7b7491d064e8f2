import type { Log } from '../../telemetry/log.ts';
import type { ResourceDetectionSettings } from '../resource-detection-config.ts';
import { type Detected, mergeDetected, NOTHING_DETECTED } from './detected.ts';
import { detectEnvironment } from './env.ts';
import { detectDownward } from './kubernetes-downward.ts';
import { detectSystem } from './system.ts';

/** Start-up failure: a detector that found nothing it had to find. `key` is the configuration path of the processor. */
export class DetectionError extends Error {
  readonly code = 'OTLP_DETECTION';
  readonly key: string;

  constructor(key: string, reasons: readonly string[]) {
    super(`${key}: ${reasons.join('; ')}`);
    this.key = key;
  }
}

/** What the detectors of one processor found; one for all signals. Found before anything is bound, and again at each `refresh_interval`. */
export class Detection {
  #current: Detected = NOTHING_DETECTED;
  #users = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #settings: ResourceDetectionSettings;
  readonly #log: Log;

  constructor(settings: ResourceDetectionSettings, log: Log) {
    this.#settings = settings;
    this.#log = log;
  }

  get current(): Detected {
    return this.#current;
  }

  /** Runs all detectors, side by side. Rejects with a DetectionError where one of them fails for good, as the Collector's start does. */
  async detect(): Promise<void> {
    const results = await Promise.allSettled(this.#settings.detectors.map((detector) => this.#withRetries(detector)));
    const reasons = results.flatMap((result, i) =>
      result.status === 'rejected' ? [`detector ${this.#settings.detectors[i]}: ${(result.reason as Error).message}`] : [],
    );
    if (reasons.length > 0) throw new DetectionError(`processors.${this.#settings.id}`, reasons);
    const found = mergeDetected(results.map((result) => (result as PromiseFulfilledResult<Detected>).value));
    this.#current = found;
    this.#log.info('resource detected', { processor: this.#settings.id, attributes: [...found.attributes.keys()] });
  }

  /** One more processor uses it: the first starts the timer. */
  acquire(): void {
    this.#users += 1;
    const { refreshIntervalMs } = this.#settings;
    if (this.#users > 1 || refreshIntervalMs <= 0) return;
    this.#timer = setInterval(() => {
      this.detect().catch((error: unknown) => {
        // What was found last stays.
        this.#log.warn('resource not detected again', { processor: this.#settings.id, reason: (error as Error).message });
      });
    }, refreshIntervalMs).unref();
  }

  /** The last one stops it. */
  release(): void {
    this.#users -= 1;
    if (this.#users === 0) clearInterval(this.#timer);
  }

  async #withRetries(detector: string): Promise<Detected> {
    const { retry, timeoutMs } = this.#settings;
    const budgetMs = retry.maxElapsedMs > 0 ? retry.maxElapsedMs : timeoutMs;
    const deadline = performance.now() + budgetMs;
    let intervalMs = retry.initialIntervalMs;
    for (;;) {
      try {
        return await withTimeout(this.#run(detector), Math.max(deadline - performance.now(), 1));
      } catch (error) {
        const waitMs = intervalMs * (1 + retry.randomizationFactor * (2 * Math.random() - 1));
        // Only names have to be asked for; what a variable says does not change by asking again.
        if (detector !== 'system' || !retry.enabled || performance.now() + waitMs >= deadline) throw error;
        this.#log.warn('resource not detected, asking again', { processor: this.#settings.id, detector, reason: (error as Error).message });
        await new Promise((resolve) => setTimeout(resolve, waitMs).unref());
        intervalMs = Math.min(intervalMs * retry.multiplier, retry.maxIntervalMs);
      }
    }
  }

  async #run(detector: string): Promise<Detected> {
    const { system, downward, failOnMissingMetadata } = this.#settings;
    switch (detector) {
      case 'env':
        return detectEnvironment(process.env);
      case 'system':
        return await detectSystem(system, (message) =>
          this.#log.warn('resource detected in part', { processor: this.#settings.id, message }),
        );
      default: {
        const found = detectDownward(downward, process.env);
        if (found.attributes.size > 0) return found;
        const message = `none of ${[...downward.variables.values()].join(', ')} is set, and no file is named`;
        if (failOnMissingMetadata) throw new Error(message);
        this.#log.warn('resource detected in part', { processor: this.#settings.id, message });
        return found;
      }
    }
  }
}

async function withTimeout<T>(run: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${Math.round(ms)} ms`)), Math.min(ms, 2 ** 31 - 1));
  });
  try {
    return await Promise.race([run, late]);
  } finally {
    clearTimeout(timer);
  }
}

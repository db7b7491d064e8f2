import type { AnyValue } from '../../otlp/view/any-value.ts';

/** What detectors found. */
export interface Detected {
  readonly attributes: ReadonlyMap<string, AnyValue>;
  /** Of the semantic conventions that the names come from; '' where nobody says. */
  readonly schemaUrl: string;
}

export const NOTHING_DETECTED: Detected = { attributes: new Map(), schemaUrl: '' };

/** The first that says something wins, attribute for attribute. */
export function mergeDetected(parts: readonly Detected[]): Detected {
  const attributes = new Map<string, AnyValue>();
  let schemaUrl = '';
  for (const part of parts) {
    for (const [key, value] of part.attributes) if (!attributes.has(key)) attributes.set(key, value);
    schemaUrl ||= part.schemaUrl;
  }
  return { attributes, schemaUrl };
}

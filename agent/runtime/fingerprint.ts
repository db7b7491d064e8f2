/** A part with the settings that it was made of: a reload keeps it where they are the same. */
export interface Kept<T> {
  readonly print: string;
  readonly part: T;
}

/** Settings as one text, equal for equal settings: what a reload compares. Expressions and big integers are written as text. */
export function fingerprint(...settings: readonly unknown[]): string {
  return JSON.stringify(settings, (_key, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`;
    if (value instanceof RegExp) return String(value);
    if (value instanceof Map || value instanceof Set) return [...value];
    return value;
  });
}

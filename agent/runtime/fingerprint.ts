/** Settings as one text, equal for equal settings: what a reload compares. Expressions and big integers are written as text. */
export function fingerprint(...settings: readonly unknown[]): string {
  return JSON.stringify(settings, (_key, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`;
    if (value instanceof RegExp) return String(value);
    if (value instanceof Map || value instanceof Set) return [...value];
    return value;
  });
}

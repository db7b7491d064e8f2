/** W3C trace state as go.opentelemetry.io/otel/trace reads and writes it: one malformed member spoils all of it. */

const MAX_MEMBERS = 32;
const KEY = /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})$/u;
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/u;

type Members = readonly (readonly [string, string])[];

/** The value of a member; '' where it is absent, undefined where the whole is malformed. `name` may fail and is asked only then. */
export function getTraceState(text: string, name: () => string): string | undefined {
  const members = parse(text);
  if (members === undefined) return undefined;
  const key = name();
  return members.find(([each]) => each === key)?.[1] ?? '';
}

/** The text with the member in front; undefined where nothing changes because something is malformed. */
export function setTraceState(text: string, name: () => string, value: string): string | undefined {
  const members = parse(text);
  if (members === undefined) return undefined;
  const key = name();
  if (!KEY.test(key) || !VALUE.test(value)) return undefined;
  const others = members.filter(([each]) => each !== key).slice(0, MAX_MEMBERS - 1);
  return [[key, value] as const, ...others].map(([each, content]) => `${each}=${content}`).join(',');
}

function parse(text: string): Members | undefined {
  const members: (readonly [string, string])[] = [];
  for (const member of text.split(',')) {
    if (member === '') continue;
    const equals = member.indexOf('=');
    if (equals < 0) return undefined;
    const key = member.slice(0, equals).replace(/^[ \t]+/u, '');
    const value = member.slice(equals + 1).replace(/[ \t]+$/u, '');
    if (!KEY.test(key) || !VALUE.test(value) || members.some(([each]) => each === key)) return undefined;
    members.push([key, value]);
    if (members.length > MAX_MEMBERS) return undefined;
  }
  return members;
}

import { compileGoRegExp, type GoRegExp } from '../../config/go-regexp.ts';
import type { Detected } from './detected.ts';

/** Upstream's pattern: any key=value pair with the comma behind it or the end of the text. */
const PAIR = '\\s*([[:ascii:]]{1,256}?)\\s*=\\s*([[:ascii:]]{0,256}?)\\s*(?:,|$)';

/** Detector `env`: OTEL_RESOURCE_ATTRIBUTES, or OTEL_RESOURCE as it was called once. Throws where the text is no list of pairs. */
export function detectEnvironment(environment: Readonly<Record<string, string | undefined>>): Detected {
  const text = (environment.OTEL_RESOURCE_ATTRIBUTES ?? '').trim() || (environment.OTEL_RESOURCE ?? '').trim();
  const attributes = new Map<string, string>();
  if (text === '') return { attributes, schemaUrl: '' };
  let end = 0;
  (compileGoRegExp(PAIR) as GoRegExp).replaceEach(text, (at) => {
    const [start = 0, stop = 0, keyFrom, keyEnd, valueFrom, valueEnd] = at;
    if (start !== end) throw new Error(`"${text.slice(end, start)}" is no key=value pair`);
    attributes.set(text.slice(keyFrom, keyEnd), queryUnescape(text.slice(valueFrom, valueEnd)));
    end = stop;
    return '';
  });
  if (end !== text.length) throw new Error(`"${text.slice(end)}" is no key=value pair`);
  return { attributes, schemaUrl: '' };
}

/** url.QueryUnescape of Go. */
function queryUnescape(value: string): string {
  const wrong = /%(?![0-9a-f]{2})/iu.exec(value);
  if (wrong !== null) throw new Error(`"${value}" has a % that no two hexadecimal digits follow`);
  const bytes: Buffer[] = [];
  for (const part of value.replaceAll('+', ' ').split(/(%[0-9a-f]{2})/iu))
    bytes.push(/^%[0-9a-f]{2}$/iu.test(part) ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part));
  return Buffer.concat(bytes).toString('utf8');
}

import { asList, asString, type Path } from '../read/json';
import type { Container } from '../read/workloads';
import { urlsIn } from './address';
import type { Candidate } from './use';
import { isAddressKey, isOwnAddressKey, withDefaultPort } from './walk';

/** The strings of a container's environment and arguments that say where to connect to. */
export function containerAddresses(container: Container): Candidate[] {
  return [...fromEnvironment(container), ...fromArguments(container, 'command'), ...fromArguments(container, 'args')];
}

function fromEnvironment({ spec, path, env }: Container): Candidate[] {
  return asList(spec.env).flatMap((entry, index) => {
    const name = asString((entry as { name?: unknown } | null)?.name) ?? '';
    const value = env.get(name);
    if (value === undefined || isOwnAddressKey(name)) return [];
    // FLUENT_ELASTICSEARCH_HOST and _PORT are one address.
    const port = /HOST$/.test(name) ? env.get(name.replace(/HOST$/, 'PORT')) : undefined;
    const at = [...path, 'env', index, 'value'];
    return value.split(',').map((part) => {
      const host = part.trim();
      const text = port !== undefined && /^[\w.-]+$/.test(host) ? `${host}:${port}` : withDefaultPort(name, host);
      return { text, path: at, keyed: isAddressKey(name) };
    });
  });
}

function fromArguments({ spec, path }: Container, field: 'command' | 'args'): Candidate[] {
  const words = asList(spec[field]).map(String);
  return words.flatMap((word, index) => fromArgument(word, words[index - 1], [...path, field, index]));
}

function fromArgument(word: string, before: string | undefined, path: Path): Candidate[] {
  const [, flag, value] = /^(--?[\w.-]+)=(.*)$/s.exec(word) ?? [];
  if (flag !== undefined && value !== undefined) {
    // `--set=exporters.otlp.endpoint=host:4317` carries a key of its own.
    const [, key = flag, inner = value] = /^([\w./:-]+)=(\S+)$/.exec(value) ?? [];
    return isOwnAddressKey(key) ? [] : inner.split(',').map((text) => ({ text, path, keyed: isAddressKey(key) }));
  }
  if (before !== undefined && /^--?[\w.-]+$/.test(before) && !/\s/.test(word)) {
    return isOwnAddressKey(before) ? [] : [{ text: word, path, keyed: isAddressKey(before) }];
  }
  return urlsIn(word).map(({ url }) => ({ text: url, path, keyed: true }));
}

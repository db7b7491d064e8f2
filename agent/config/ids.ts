import type { Signal } from './settings.ts';
import { SIGNALS } from './settings.ts';

/** `type/name`, as components and pipelines are called. */
export interface ComponentId {
  readonly type: string;
  /** Empty where only the type is written. */
  readonly name: string;
  /** As it is compared and logged: without blanks around its parts. */
  readonly text: string;
}

/** The rules of component.ID upstream. */
const TYPE = /^[a-zA-Z][0-9a-zA-Z_]{0,62}$/u;
const NAME = /^[^\p{Z}\p{C}\p{S}]{1,1024}$/u;

/** The id, or the reason why it is none. */
export function parseId(text: string): ComponentId | string {
  const slash = text.indexOf('/');
  const type = (slash < 0 ? text : text.slice(0, slash)).trim();
  const name = slash < 0 ? '' : text.slice(slash + 1).trim();
  if (type === '') return slash < 0 ? 'an id must not be empty' : `"${text}" has nothing before its /`;
  if (slash >= 0 && name === '') return `"${text}" has nothing after its /`;
  if (!TYPE.test(type)) return `"${type}" is no type: a letter, then letters, digits and _`;
  if (name !== '' && !NAME.test(name)) return `"${name}" is no name: blanks and symbols are not allowed`;
  return { type, name, text: name === '' ? type : `${type}/${name}` };
}

/** The signal of a pipeline id, or undefined. */
export function signalOf(id: ComponentId): Signal | undefined {
  return SIGNALS.find((signal) => signal === id.type);
}

/** A JSON Schema of any draft, as far as the scripts here look into it. */
export interface Schema {
  [keyword: string]: unknown;
}

/** Keywords that carry a rule which ajv can judge; everything else (descriptions, defaults, formats, x-kubernetes-*) is left out. */
const KEPT = [
  'type',
  'required',
  'enum',
  'pattern',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
];
const ANY_NUMBER_OR_STRING: Schema = { type: ['string', 'number'] };

/** What an OpenAPI `$ref` becomes. */
export type Reference = (ref: string) => Schema;

/**
 * The closed form of an OpenAPI v3 schema, whether of a built-in kind or of a CRD: an object with declared properties takes no others.
 * A Quantity or an IntOrString is a string or a number.
 */
export function close(schema: Schema, reference: Reference): Schema {
  if (typeof schema.$ref === 'string') return reference(schema.$ref);
  // OpenAPI wraps a reference in allOf to give it a description and a default of its own.
  const wrapped = schema.allOf as Schema[] | undefined;
  if (wrapped?.length === 1 && wrapped[0]?.$ref !== undefined) return close(wrapped[0], reference);
  if (schema['x-kubernetes-int-or-string'] === true || schema.format === 'int-or-string' || isQuantity(schema)) return ANY_NUMBER_OR_STRING;

  const closed: Schema = {};
  for (const keyword of KEPT) if (schema[keyword] !== undefined) closed[keyword] = schema[keyword];
  if (typeof closed.pattern === 'string' && !isExpression(closed.pattern)) delete closed.pattern;
  if (schema.nullable === true && typeof closed.type === 'string') closed.type = [closed.type, 'null'];
  if (schema.items !== undefined) closed.items = close(schema.items as Schema, reference);
  const properties = schema.properties as { [name: string]: Schema } | undefined;
  if (properties !== undefined) {
    closed.properties = Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, close(value, reference)]));
    if (schema['x-kubernetes-preserve-unknown-fields'] !== true) closed.additionalProperties = false;
  }
  if (typeof schema.additionalProperties === 'object')
    closed.additionalProperties = close(schema.additionalProperties as Schema, reference);
  return closed;
}

/** Go's expressions know spellings that JavaScript's lack, such as `(?i)`: what uses them is left to the API server. */
function isExpression(pattern: string): boolean {
  try {
    new RegExp(pattern, 'u');
    return true;
  } catch {
    return false;
  }
}

function isQuantity(schema: Schema): boolean {
  const types = (schema.oneOf as Schema[] | undefined)?.map((choice) => choice.type);
  return types?.length === 2 && types.includes('string') && types.includes('number');
}

/** The schema of a manifest's own kind: apiVersion and kind are demanded and fixed, a status is not a thing to print. */
export function rootKind(schema: Schema, apiVersion: string, kind: string, reference: Reference): Schema {
  const closed = close(without(schema, ['status']), reference);
  const required = new Set([...((closed.required as string[] | undefined) ?? []), 'apiVersion', 'kind', 'metadata']);
  const properties = { ...(closed.properties as { [name: string]: Schema }), apiVersion: { const: apiVersion }, kind: { const: kind } };
  return { ...closed, required: [...required].sort(), properties };
}

/** The schema of an object without some of its properties. */
export function without(schema: Schema, names: readonly string[]): Schema {
  const properties = Object.entries(schema.properties as { [name: string]: Schema }).filter(([name]) => !names.includes(name));
  const required = (schema.required as string[] | undefined)?.filter((name) => !names.includes(name));
  return { ...schema, properties: Object.fromEntries(properties), ...(required === undefined ? {} : { required }) };
}

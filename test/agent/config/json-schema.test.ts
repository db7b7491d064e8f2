import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { configJsonSchema } from '../../../agent/config/json-schema.ts';
import { MINIMAL } from '../support/config.ts';
import { corpus } from '../support/mutations.ts';

const validate = new Ajv2020({ allowUnionTypes: true, strict: true, strictTypes: false }).compile(configJsonSchema());

/** Files that say something which only the loader can read: keys with `::`, references where a number is wanted, numbers as Go writes them. */
const BEYOND_SCHEMA = ['delimiter-keys.yaml', 'environment.yaml', 'numbers-as-durations.yaml'];

describe('the JSON Schema of the configuration', () => {
  it.each(
    corpus()
      .filter(({ name }) => !BEYOND_SCHEMA.includes(name))
      .map(({ name, text }) => [name, text]),
  )('accepts %s', (_name, text) => {
    validate(parse(text, { merge: true }));
    expect(validate.errors).toBeNull();
  });

  it.each([
    ['an unknown key', 'endpoint: gateway:4317', 'endpont: gateway:4317'],
    ['an unknown component', 'otlp_grpc:', 'otlp-grpc:'],
    ['an unknown signal', 'traces:', 'spans:'],
    ['a number where text is wanted', 'endpoint: gateway:4317', 'endpoint: 4317'],
    ['text where true or false is wanted', 'insecure: true', 'insecure: "true"'],
    ['a duration without unit', 'endpoint: gateway:4317', 'timeout: 5 s'],
  ])('fails on %s', (_title, from, to) => {
    expect(validate(parse(MINIMAL.replace(from, to)))).toBe(false);
  });

  it('says what each key does', () => {
    const missing: string[] = [];
    const walk = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return;
      for (const [name, schema] of Object.entries((node as { properties?: object }).properties ?? {})) {
        if (path !== '' && typeof (schema as { description?: unknown }).description !== 'string') missing.push(`${path}.${name}`);
        walk(schema, `${path}.${name}`);
      }
      for (const [name, schema] of Object.entries((node as { patternProperties?: object }).patternProperties ?? {}))
        walk(schema, `${path}.${name}`);
      walk((node as { items?: unknown }).items, path);
    };
    walk(configJsonSchema(), '');
    expect(missing.filter((path) => !['.service.pipelines', '.service.extensions'].includes(path))).toEqual([]);
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';

const FOLDER = join(import.meta.dirname, '..', 'schemas');
const DOCUMENT = 'definitions.json';

/** Validators by `<apiVersion>/<kind>`; compiled when first used, as a whole pod takes its time. */
const validators = new Map<string, () => ValidateFunction>();
const ajv = new Ajv({ allErrors: true, strict: false });

for (const entry of readdirSync(FOLDER, { withFileTypes: true })) {
  if (!entry.isDirectory()) continue;
  const document = JSON.parse(readFileSync(join(FOLDER, entry.name, DOCUMENT), 'utf8')) as { kinds: { [key: string]: object } };
  ajv.addSchema(document, entry.name);
  for (const key of Object.keys(document.kinds)) {
    let compiled: ValidateFunction | undefined;
    validators.set(key, () => {
      compiled ??= ajv.compile({ $ref: `${entry.name}#/kinds/${encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))}` });
      return compiled;
    });
  }
}

/** The kinds that can be validated, as `<apiVersion>/<kind>`. */
export const VALIDATED_KINDS: readonly string[] = [...validators.keys()].sort();

/**
 * What is wrong with a manifest by the closed schemas of test/schemas, one line per error: `spec.replica: unknown field`. Empty when all is well.
 * Rules across fields (a selector that does not match its template, a port that is used twice) are the API server's: test/real/kubernetes-api.test.ts.
 */
export function validateManifest(manifest: unknown): string[] {
  const { apiVersion, kind } = (manifest ?? {}) as { apiVersion?: unknown; kind?: unknown };
  const validator = validators.get(`${apiVersion}/${kind}`);
  if (validator === undefined) return [`no closed schema for ${apiVersion} ${kind}: add the kind to test/schemas/generate.ts and run it`];
  const validate = validator();
  return validate(manifest) ? [] : (validate.errors ?? []).map(describe);
}

function describe({ instancePath, keyword, params, message }: ErrorObject): string {
  const path = instancePath.slice(1).split('/').filter(Boolean).map(plain);
  if (keyword === 'additionalProperties') return `${printed([...path, params.additionalProperty])}: unknown field`;
  return `${printed(path) || '(root)'}: ${message ?? keyword}${keyword === 'enum' ? ` (${params.allowedValues.join(', ')})` : ''}`;
}

/** A JSON pointer's segment as it was written. */
function plain(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~');
}

function printed(path: readonly string[]): string {
  return path.map((segment, index) => (/^\d+$/.test(segment) ? `[${segment}]` : index === 0 ? segment : `.${segment}`)).join('');
}

import { component } from '../config/component.ts';
import { bool, leaf, text, textList } from '../config/fields.ts';
import { compileGoRegExp, GoRegExp } from '../config/go-regexp.ts';
import { type Output, section } from '../config/section.ts';

export const HASH_FUNCTIONS = ['', 'sha1', 'sha3', 'md5', 'hmac-sha256', 'hmac-sha512'] as const;
export type HashFunction = (typeof HASH_FUNCTIONS)[number];

export interface RedactionSettings {
  readonly kind: 'redaction';
  readonly id: string;
  /** Keys that stay; undefined: all. */
  readonly allowedKeys: ReadonlySet<string> | undefined;
  readonly ignoredKeys: ReadonlySet<string>;
  readonly ignoredKeyPatterns: readonly GoRegExp[];
  readonly blockedKeyPatterns: readonly GoRegExp[];
  readonly blockedValues: readonly GoRegExp[];
  readonly allowedValues: readonly GoRegExp[];
  /** '' masks with asterisks. */
  readonly hashFunction: HashFunction;
  readonly hmacKey: string;
  /** Also values that are no text are compared, as texts. */
  readonly redactAllTypes: boolean;
  readonly summary: 'debug' | 'info' | 'silent';
}

/** Sanitizers that upstream has from libraries: a classifier of made-up words, and parsers of six query languages. */
const sanitizer = (what: string) =>
  section(
    {
      enabled: bool({ describe: `Switches it on; not supported, use blocked_values.`, default: false }),
      attributes: textList({ describe: 'Where.', default: [] }),
    },
    { describe: `Of ${what}.` },
  );

const spanNames = leaf<boolean | undefined>('bool', { describe: 'Span names, too.', default: undefined }, undefined, (value) =>
  typeof value === 'boolean' ? { value } : { wrong: 'wants true or false, without quotes' },
);

const DATABASES = ['sql', 'redis', 'valkey', 'memcached', 'mongo', 'opensearch', 'es'] as const;

const shape = {
  allow_all_keys: bool({ describe: 'Keeps all attributes; allowed_keys has no effect then.', default: false }),
  allowed_keys: textList({ describe: 'Attributes that stay; all others are removed, also where the list is empty.', default: [] }),
  ignored_keys: textList({ describe: 'Attributes that are neither removed nor masked.', default: [] }),
  ignored_key_patterns: textList({ describe: 'The same by pattern (Go syntax).', default: [] }),
  blocked_key_patterns: textList({ describe: 'Attributes whose whole value is masked.', default: [] }),
  blocked_values: textList({ describe: 'Patterns; what they match in a value is masked.', default: [] }),
  allowed_values: textList({ describe: 'Patterns; a value in which one matches is not masked.', default: [] }),
  hash_function: leaf<HashFunction>(
    // Not a choice: any case will do.
    'text',
    { describe: 'Masks with the hash of what is masked instead of ****: sha1, sha3, md5, hmac-sha256 or hmac-sha512.', default: '' },
    '',
    (value) => {
      const found = typeof value === 'string' ? HASH_FUNCTIONS.find((each) => each === value.toLowerCase()) : undefined;
      return found === undefined ? { wrong: `wants one of ${HASH_FUNCTIONS.filter((each) => each !== '').join(', ')}` } : { value: found };
    },
  ),
  hmac_key: text({ describe: 'Of hmac-sha256 (32 bytes or more) and hmac-sha512 (64 bytes or more).', default: '' }),
  redact_all_types: bool({ describe: 'Also values that are no text, as texts.', default: false }),
  summary: text({
    describe:
      'debug adds attributes with the keys and counts of what was removed, masked, allowed and ignored; info only the counts; anything else nothing.',
    default: '',
  }),
  url_sanitizer: section(
    {
      enabled: bool({ describe: 'Switches it on; not supported, use blocked_values.', default: false }),
      attributes: textList({ describe: 'Where.', default: [] }),
      sanitize_span_name: spanNames,
    },
    { describe: 'Of URLs.' },
  ),
  db_sanitizer: section(
    {
      ...(Object.fromEntries(DATABASES.map((name) => [name, sanitizer(`queries of ${name}`)])) as Record<
        (typeof DATABASES)[number],
        ReturnType<typeof sanitizer>
      >),
      sanitize_span_name: spanNames,
    },
    { describe: 'Of database queries.' },
  ),
};

const MIN_KEY_BYTES: Readonly<Partial<Record<HashFunction, number>>> = { 'hmac-sha256': 32, 'hmac-sha512': 64 };

/** Processor `redaction`. The rules are those of redactionprocessor upstream. */
export const redactionProcessor = component<Output<typeof shape>, RedactionSettings>({
  type: 'redaction',
  signals: ['traces', 'metrics', 'logs'],
  describe:
    'Removes attributes that are not on a list, and masks values. Reads every attribute of resources, scopes and items, and log bodies.',
  dataPath: {
    bytes:
      'decodes every text among the attributes, and log bodies, with redact_all_types every attribute; what was not changed keeps its bytes',
    drops: 'drops attributes, never items, as asked',
  },
  config: section(shape, {
    describe: 'Removes and masks attributes.',
    check: ({ hash_function: hash, hmac_key: key }, report) => {
      const least = MIN_KEY_BYTES[hash] ?? 0;
      const bytes = Buffer.byteLength(key);
      if (bytes < least) report('hmac_key', `must have ${least} bytes or more for ${hash}, it has ${bytes}`);
    },
  }),
  build: (config, context) => {
    const patterns = (key: 'ignored_key_patterns' | 'blocked_key_patterns' | 'blocked_values' | 'allowed_values'): GoRegExp[] =>
      // Upstream keeps them in a map: each pattern once.
      [...new Set(config[key])].flatMap((source) => {
        const pattern = compileGoRegExp(source);
        if (pattern instanceof GoRegExp) return [pattern];
        context.report('OTLP_CONFIG_VALUE', [key], `"${source}" is no regular expression: ${pattern.wrong}`);
        return [];
      });
    const unsupported = (path: readonly string[]): void =>
      context.report('OTLP_CONFIG_UNSUPPORTED', [...path, 'enabled'], 'this sanitizer is not supported; write blocked_values instead');
    if (config.url_sanitizer.enabled) unsupported(['url_sanitizer']);
    for (const name of DATABASES) if (config.db_sanitizer[name].enabled) unsupported(['db_sanitizer', name]);
    const { summary } = config;
    return {
      kind: 'redaction',
      id: context.id,
      allowedKeys: config.allow_all_keys ? undefined : new Set([...config.allowed_keys, ...OWN_KEYS]),
      ignoredKeys: new Set(config.ignored_keys),
      ignoredKeyPatterns: patterns('ignored_key_patterns'),
      blockedKeyPatterns: patterns('blocked_key_patterns'),
      blockedValues: patterns('blocked_values'),
      allowedValues: patterns('allowed_values'),
      hashFunction: config.hash_function,
      hmacKey: config.hmac_key,
      redactAllTypes: config.redact_all_types,
      summary: summary === 'debug' || summary === 'info' ? summary : 'silent',
    };
  },
});

/** What an earlier redaction has written stays; upstream's list, which lacks those of allowed keys. */
const OWN_KEYS = [
  'redaction.redacted.keys',
  'redaction.redacted.count',
  'redaction.masked.keys',
  'redaction.masked.count',
  'redaction.ignored.count',
];

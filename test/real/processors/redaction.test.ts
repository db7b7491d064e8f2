import { describeAgainstCollector } from './harness.ts';

const redaction = (config: object): Record<string, unknown> => ({ redaction: config });
const KEYS = [
  'secret_token',
  'safe_id',
  'redaction.masked.keys',
  'redaction.masked.count',
  'redaction.ignored.count',
  'redaction.allowed.count',
];
const TEXTS = ['card 4111111111111111 and 4222222222222', 'a@example.org', 'token=abc', 'two\nlines\n', 'x,y', '4111111111111111x'];
const vocabulary = { keys: KEYS, texts: TEXTS };

// Upstream takes its patterns in any order, each over what the others made of the text (hashes, too): here no two of them meet.
describeAgainstCollector('the redaction processor', [
  {
    name: 'allowed keys and blocked values, summary debug',
    processors: redaction({
      allowed_keys: ['a', 'b', 'service.name', 'user.id', 'secret_token'],
      blocked_values: ['4[0-9]{12}(?:[0-9]{3})?', '(?i)get'],
      summary: 'debug',
    }),
    vocabulary,
  },
  {
    name: 'an empty list of keys removes all',
    processors: redaction({ blocked_values: ['.'], summary: 'info' }),
  },
  {
    name: 'all keys, ignored and blocked ones, allowed values, hashes',
    processors: redaction({
      allow_all_keys: true,
      ignored_keys: ['service.name', 'body'],
      ignored_key_patterns: ['^safe'],
      blocked_key_patterns: ['token', '^http\\.'],
      blocked_values: ['[0-9]+|[a-z]+@[a-z.]+'],
      allowed_values: ['@example\\.org$', '^10\\.'],
      hash_function: 'sha3',
      summary: 'debug',
    }),
    vocabulary,
  },
  {
    name: 'all types, as texts',
    processors: redaction({
      allow_all_keys: true,
      blocked_key_patterns: ['^a$'],
      blocked_values: ['[0-9]|true|\\{'],
      redact_all_types: true,
      hash_function: 'MD5',
      summary: 'info',
    }),
    vocabulary,
  },
  {
    name: 'patterns that match the empty text',
    processors: redaction({ allow_all_keys: true, blocked_values: ['x*'], summary: 'silent' }),
    vocabulary,
  },
  {
    name: 'the empty text allowed',
    processors: redaction({ allow_all_keys: true, blocked_values: ['\\w+'], allowed_values: ['^$'], summary: 'debug' }),
    vocabulary,
  },
  {
    name: 'sha1',
    processors: redaction({ allow_all_keys: true, blocked_values: ['secret', '4111111111111111'], hash_function: 'sha1' }),
  },
  {
    name: 'hmac-sha512',
    processors: redaction({
      allow_all_keys: true,
      blocked_values: ['secret', '4111111111111111'],
      hash_function: 'hmac-sha512',
      hmac_key: 'k'.repeat(64),
    }),
  },
  {
    name: 'hmac-sha256, values with line ends under a blocked key',
    processors: redaction({ allow_all_keys: true, blocked_key_patterns: ['.'], hash_function: 'hmac-sha256', hmac_key: 'k'.repeat(32) }),
    vocabulary,
  },
]);

import type { BuildContext } from '../config/component.ts';
import type { Field } from '../config/fields.ts';
import { bool, choice, unsupported } from '../config/fields.ts';
import { section } from '../config/section.ts';
import type { Compression } from '../config/settings.ts';

const NO_CLIENT_TLS = 'TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others';

/** All names that configcompression knows upstream; the agent speaks fewer. */
const COMPRESSIONS = ['gzip', 'zstd', 'deflate', 'none', 'zlib', 'snappy', 'x-snappy-framed', 'lz4', ''] as const;
export type CompressionName = (typeof COMPRESSIONS)[number];

const TLS_KEYS = [
  'ca_file',
  'ca_pem',
  'include_system_ca_certs_pool',
  'cert_file',
  'cert_pem',
  'key_file',
  'key_pem',
  'min_version',
  'max_version',
  'cipher_suites',
  'include_insecure_cipher_suites',
  'reload_interval',
  'curve_preferences',
  'tpm',
  'insecure_skip_verify',
  'server_name_override',
] as const;

/** `tls` of a client: only `insecure: true` until TLS comes. */
export function clientTls(): Field<{ readonly insecure: boolean }> {
  const later = Object.fromEntries(TLS_KEYS.map((key) => [key, unsupported('Part of TLS.', NO_CLIENT_TLS)]));
  return section(
    {
      ...later,
      insecure: bool({
        describe: 'Sends without TLS. Must be true as long as the agent has no TLS, or the endpoint begins with http://.',
        default: false,
      }),
    },
    { describe: 'TLS to the next hop.' },
  ) as Field<{ readonly insecure: boolean }>;
}

export function compression(): Field<CompressionName> {
  return choice(COMPRESSIONS, {
    describe: 'gzip, zstd, snappy or none; otlp_http also has deflate, zlib and x-snappy-framed.',
    default: 'gzip',
  });
}

/** What otlp_grpc and otlp_http have of their own beside `compression`. */
export function gzipMembers(): Field<boolean> {
  return bool({
    describe:
      'Sends requests that came as gzip, and that nothing in their pipelines reads or changes, as they came: several make one gzip body of several members (RFC 1952, 2.2). Only for receivers that read all members, as the Collector, other Go programs, Java and this agent do. The GzDecoder of Rust ends after the first and loses the rest in silence; gRPC of C++, Python, Ruby and PHP refuses the request. Sizes of queue and batch count bytes after inflating, as without the key.',
    default: false,
    ours: true,
  });
}

/** Why `gzip_members: true` cannot be with the other keys. */
export function membersProblem(on: boolean, name: CompressionName, encoding: 'proto' | 'json' = 'proto'): string | undefined {
  if (!on) return undefined;
  if (name !== 'gzip') return `needs compression: gzip, which is ${name === '' ? 'none' : name}; write gzip, or remove gzip_members`;
  if (encoding !== 'proto') return `needs encoding: proto, which is ${encoding}: requests travel as they came; remove one of the two`;
  return undefined;
}

/** The compression as settings, or a report that this transport has no such thing. */
export function compressionSetting(name: CompressionName, allowed: readonly Compression[], context: BuildContext): Compression {
  const known = allowed.find((candidate) => candidate === (name === '' ? 'none' : name));
  if (known !== undefined) return known;
  context.report('OTLP_CONFIG_UNSUPPORTED', ['compression'], `"${name}" is not supported here, only ${allowed.join(', ')}`);
  return 'none';
}

/**
 * HTTP and HTTP/2 header names have no case, and values no space around them: what `${file:/path}` reads ends with a line break, with which
 * the Collector's requests fail one by one.
 */
export function lowerCaseNames(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.trim()]));
}

/** Says which headers no request could carry. Values are not repeated: they may be secrets. */
export function reportHeaders(headers: Readonly<Record<string, string>>, context: BuildContext): void {
  for (const [name, value] of Object.entries(lowerCaseNames(headers))) {
    if (!HEADER_NAME.test(name)) context.report('OTLP_CONFIG_VALUE', ['headers'], `"${name}" is no name of a header`);
    else if (!HEADER_VALUE.test(value))
      context.report(
        'OTLP_CONFIG_VALUE',
        ['headers', name],
        'has a control character or a letter beyond Latin-1 inside; a header is one line of text',
      );
  }
}

/** RFC 9110, 5.6.2 and 5.5. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Says that the next hop would need TLS. `why` is what asks for it. */
export function reportTls(context: BuildContext, path: readonly string[], why: string): void {
  context.report(
    'OTLP_CONFIG_UNSUPPORTED',
    path,
    `${why}, and TLS is not supported yet; write tls.insecure: true to send in plain text, or keep this hop on the Collector`,
  );
}

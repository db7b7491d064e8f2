import { hostname, machine, release, type, version } from 'node:os';

/** As the OpenTelemetry SDK of Go has it on Linux: name and version of the distribution, and `uname -snrvm` behind it. */
export function osDescription(osRelease: string | undefined): string {
  const uname = `${type()} ${hostname()} ${release()} ${version()} ${machine()}`;
  const distribution = distributionOf(osRelease ?? '');
  return distribution === '' ? uname : `${distribution} (${uname})`;
}

/** NAME and VERSION of /etc/os-release, or its PRETTY_NAME. */
export function distributionOf(osRelease: string): string {
  const values = new Map<string, string>();
  for (const line of osRelease.split('\n')) {
    const equals = line.indexOf('=');
    if (equals > 0 && !line.trim().startsWith('#')) values.set(line.slice(0, equals).trim(), unescapeValue(line.slice(equals + 1).trim()));
  }
  const name = values.get('NAME') ?? '';
  const number = values.get('VERSION') || values.get('VERSION_ID') || '';
  return name !== '' && number !== '' ? `${name} ${number}` : (values.get('PRETTY_NAME') ?? '');
}

function unescapeValue(text: string): string {
  const quoted = /^(["'])(.*)\1$/su.exec(text);
  return (quoted?.[2] ?? text).replace(/\\([$"'\\`])/gu, '$1');
}

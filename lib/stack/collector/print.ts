import type { Duration, Size } from 'cdk8s';

/** As Go's `time.ParseDuration` reads it: `5s`, `100ms`. A bare number would be read as nanoseconds. */
export function printDuration(duration: Duration): string {
  const millis = duration.toMilliseconds();
  return millis % 1000 === 0 ? `${millis / 1000}s` : `${millis}ms`;
}

/** The same, or undefined: for optional keys. */
export function optionalDuration(duration: Duration | undefined): string | undefined {
  return duration && printDuration(duration);
}

/** Whole mebibytes, as keys ending in `_mib` want them. */
export function printMebibytes(place: string, key: string, size: Size): number {
  const mebibytes = size.toKibibytes() / 1024;
  if (!Number.isInteger(mebibytes) || mebibytes <= 0) {
    throw new Error(`${place}: '${key}' (${mebibytes} MiB) must be a whole, positive number of MiB: round it`);
  }
  return mebibytes;
}

/** Bytes, for keys that count them. */
export function printBytes(size: Size): number {
  return size.toKibibytes() * 1024;
}

/** The items of a list as messages quote them. */
export function quoted(names: string[]): string {
  return names.map((name) => `'${name}'`).join(', ');
}

/** An address to listen on or to dial: `host:port`, where the host may be a reference such as `${env:MY_POD_IP}`. */
export function checkAddress(place: string, key: string, address: string): void {
  const port = /^(?:\[[^\]]+\]|[^\s/[\]]+):(\d{1,5})$/.exec(address)?.[1];
  const reference = /:\$\{env:[^}]+\}$/.test(address);
  if (!reference && (port === undefined || Number(port) > 65_535)) {
    throw new Error(`${place}: '${key}' must be HOST:PORT, got '${address}': write 'localhost:4317' or '\${env:MY_POD_IP}:4317'`);
  }
}

/** `${env:NAME}`: read by the program when it starts, never by us. */
export function envReference(name: string): string {
  return `\${env:${name}}`;
}

/** A URL with scheme, for exporters that speak HTTP. */
export function checkUrl(place: string, key: string, url: string): void {
  if (!/^(https?:\/\/|\$\{)/.test(url)) {
    throw new Error(`${place}: '${key}' must be a URL, got '${url}': write 'http://${url}'`);
  }
}

/** A number between two bounds, both allowed. */
export function checkRange(place: string, key: string, value: number | undefined, low: number, high: number): void {
  if (value !== undefined && !(value >= low && value <= high)) {
    throw new Error(`${place}: '${key}' must be between ${low} and ${high}, got ${value}`);
  }
}

/** Labels of Prometheus: names that it takes, and values that are there. */
export function checkLabels(place: string, key: string, labels: { [name: string]: string } | undefined): void {
  for (const [name, value] of Object.entries(labels ?? {})) {
    if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) || value === '') {
      throw new Error(
        `${place}: '${key}' holds '${name}: ${value}': a label's name has letters, digits and '_', and its value is not empty`,
      );
    }
  }
}

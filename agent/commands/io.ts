/** What a command may touch beside its arguments, so that tests see what it says. */
export interface Io {
  readonly environment: Readonly<Record<string, string | undefined>>;
  out(text: string): void;
  err(text: string): void;
  /** From now on what is written is the log of a process that others rely on: that it cannot be written ends nothing. */
  serves?(): void;
  /** The file that worker threads start from. @default everything runs in this thread */
  readonly workerEntry?: URL;
}

/** `--config` and `--set` of every command that reads a configuration. */
export interface ConfigArguments {
  readonly config: readonly string[];
  readonly set: readonly string[];
}

/** A table with columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows
    .map((row) => `${row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('  ')}\n`)
    .join('');
}

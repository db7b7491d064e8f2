import { COMPONENTS, type SectionName } from '../config/registry.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Io } from './io.ts';
import { table } from './io.ts';

/** Lists what a configuration may use. */
export function components(args: { readonly json?: boolean }, io: Io): ExitCode {
  const sections = Object.keys(COMPONENTS) as SectionName[];
  const list = (section: SectionName) =>
    COMPONENTS[section].map(({ type, aliases, signals, describe }) => ({ type, aliases, signals, describe }));
  if (args.json === true) {
    io.out(`${JSON.stringify(Object.fromEntries(sections.map((section) => [section, list(section)])), null, 2)}\n`);
    return EXIT.OK;
  }
  for (const section of sections) {
    const rows = list(section).map(({ type, aliases, signals, describe }) => [
      `  ${aliases.length === 0 ? type : `${type} (${aliases.join(', ')})`}`,
      signals.length === 0 ? '-' : signals.join(' '),
      describe,
    ]);
    io.out(`${section}:\n${table(rows)}`);
  }
  return EXIT.OK;
}

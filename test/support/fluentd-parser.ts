import type { FluentdDirective } from '../../lib/stack/logging/fluentd-config.ts';

/**
 * A reader of Fluentd's version-1 format, written from its documentation (docs.fluentd.org/configuration/config-file) as Fluentd itself
 * cannot run here: directives, `key value` to the end of the line, a comment from ` #`, double-quoted strings with escapes.
 */
export function parseFluentd(text: string): FluentdDirective[] {
  const lines = text.split('\n');
  let at = 0;
  const read = (until: string | undefined): { parameters: { [key: string]: string }; directives: FluentdDirective[] } => {
    const parameters: { [key: string]: string } = {};
    const directives: FluentdDirective[] = [];
    for (; at < lines.length; at++) {
      const line = (lines[at] ?? '').trim();
      const open = /^<([a-z_]+)(?:\s+(.+))?>$/.exec(line);
      if (line === '' || line.startsWith('#')) {
        continue;
      }
      if (line.startsWith('</')) {
        if (line !== `</${until}>`) {
          throw new Error(`line ${at + 1}: '${line}' closes '<${until}>'`);
        }
        return { parameters, directives };
      }
      if (open) {
        at++;
        const name = open[1] as string;
        directives.push({ name, argument: open[2] ?? '', ...read(name) });
        continue;
      }
      const pair = /^(\S+)(?:\s+(.*))?$/.exec(line);
      parameters[pair?.[1] as string] = parseValue(pair?.[2] ?? '');
    }
    if (until !== undefined) {
      throw new Error(`'<${until}>' is not closed`);
    }
    return { parameters, directives };
  };
  return read(undefined).directives;
}

function parseValue(raw: string): string {
  // Embedded Ruby stays as it is written: it is evaluated by Fluentd.
  if (raw.startsWith('"#{')) {
    return raw;
  }
  if (raw.startsWith('"')) {
    const end = /^"((?:[^"\\]|\\.)*)"/s.exec(raw);
    if (!end) {
      throw new Error(`unterminated string: ${raw}`);
    }
    return (end[1] as string).replace(/\\(.)/gs, (_, character: string) => (character === 'n' ? '\n' : character));
  }
  return raw.replace(/\s#.*$/, '').trim();
}

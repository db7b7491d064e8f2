import type { PathStyle } from './compile.ts';
import { AROUND, CONTEXTS, type ContextName, ownerOf } from './contexts/contexts.ts';
import { parseStatement } from './parser.ts';

/** Whether what a statement sets may be part of a resource or scope: its target is its first argument, or one with a name. */
export function writesAround(text: string, context: ContextName, style: PathStyle): boolean {
  const { args } = parseStatement(text).editor;
  return args.some(
    ({ name, value }, place) =>
      (place === 0 || name !== undefined) && value.kind === 'path' && AROUND.has(ownerOf(CONTEXTS[context], value.path, style).owner),
  );
}

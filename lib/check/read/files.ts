import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ManifestReadError, type ReadProblem } from './read-error';

const EXTENSIONS = /\.(ya?ml|json)$/;

/** A file as it was read. */
export interface SourceFile {
  readonly file: string;
  readonly text: string;
}

/**
 * The YAML and JSON files among the paths and below the folders of them, in a stable order.
 *
 * @throws ManifestReadError for a path that does not exist and a folder without such files
 */
export function readFiles(paths: readonly string[]): SourceFile[] {
  const problems: ReadProblem[] = [];
  const files = paths.flatMap((path) => {
    if (!existsSync(path)) {
      problems.push({ file: path, problem: 'no such file or folder', remedy: 'Give the folder that holds the rendered manifests' });
      return [];
    }
    if (!statSync(path).isDirectory()) return [path];
    const found = below(path);
    if (found.length === 0) {
      problems.push({ file: path, problem: 'no .yaml, .yml or .json file in this folder', remedy: 'Render the manifests into it first' });
    }
    return found;
  });
  if (problems.length > 0) throw new ManifestReadError(problems);
  return [...new Set(files)].map((file) => ({ file, text: readFileSync(file, 'utf8') }));
}

function below(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name.startsWith('.') || entry.name === 'node_modules' ? [] : below(path);
    return EXTENSIONS.test(entry.name) ? [path] : [];
  });
}

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The folder of a Go module's files, fetched and verified by Go; undefined where the proxy lacks that version. A module's archive holds
 * its documents and test data too, which is where the facts are read.
 */
export function moduleFolder(module: string, version: string): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'catalog-'));
  try {
    writeFileSync(join(folder, 'go.mod'), 'module catalog\n');
    const output = execFileSync('go', ['mod', 'download', '-json', `${module}@${version}`], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return (JSON.parse(output) as { Dir?: string }).Dir;
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As `moduleFolder`, for modules without which there is nothing to record. */
export function requiredModuleFolder(module: string, version: string): string {
  const folder = moduleFolder(module, version);
  if (folder === undefined) throw new Error(`the Go module proxy does not give ${module}@${version}`);
  return folder;
}

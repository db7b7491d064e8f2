/**
 * The order of test files: those that take longest first, so that the end of a run is not one worker with one long file while the others
 * have nothing left. Vitest orders by what it remembers of the last run, or by file size where it remembers nothing (a fresh clone, every
 * run of CI); size says little here: the 12 lines of statements.test.ts start 41 agents, and they used to come last and alone.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Every file of 8 s of CPU and more, its child processes counted, longest first; measured over a whole `npm test`. */
const SLOWEST = [
  'test/agent/statements/statements.test.ts',
  'test/agent/workers/program.test.ts',
  'test/apps/cli/program.test.ts',
  'test/agent/http2/hostile-floods.test.ts',
  'test/agent/commands/commands.test.ts',
  'test/apps/cli/rehearse/rehearsal.test.ts',
  'test/dist/findings.test.ts',
  'test/agent/http2/hostile-windows.test.ts',
  'test/apps/cli/bad-input.test.ts',
  'test/repository/jsii-gate.test.ts',
  'test/agent/process/filter-bytes.test.ts',
  'test/agent/process/attributes-bytes.test.ts',
  'test/repository/import-directions.test.ts',
  'test/apps/cli/secrets.test.ts',
  'test/agent/commands/run.test.ts',
  'test/agent/telemetry/own/own-telemetry.test.ts',
  'test/agent/commands/bundle-late.test.ts',
  'test/agent/commands/explain.test.ts',
  'test/apps/cli/synth.test.ts',
  'test/agent/process/walk-and-tree.test.ts',
  'test/agent/reload/reload.test.ts',
  'test/lib/catalog/own-programs.test.ts',
  'test/apps/sample-service/lifecycle.test.ts',
  'test/apps/sample-service/telemetry.test.ts',
  'test/apps/pulumi/pulumi.test.ts',
  'test/agent/otlp/json/round-trip.test.ts',
  'test/agent/config/never-crashes.test.ts',
].map((path) => {
  const file = fileURLToPath(new URL(`../../${path}`, import.meta.url));
  if (!existsSync(file)) throw new Error(`${path} is gone: take it out of test/support/slowest-first.ts, or name what it became`);
  return file.replaceAll('\\', '/'); // as vitest writes paths, on Windows too
});

export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = SLOWEST.indexOf(moduleId);
      return at === -1 ? SLOWEST.length : at;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

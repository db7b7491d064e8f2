import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { SlowestFirst } from './test/support/slowest-first.ts';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** `npm test` runs everything that needs only Node; the other lanes are asked for by name (scripts/test.mjs, scripts/packages.mjs). */
const lane = process.env.OTLP_STACK_LANE ?? 'node';

export default defineConfig({
  resolve: {
    alias: {
      'otlp-stack-catalog': at('lib/catalog/index.ts'),
      'otlp-stack-check': at('lib/check/index.ts'),
      'otlp-stack-agent/opentelemetry': at('agent/library/opentelemetry/index.ts'),
      'otlp-stack-agent': at('agent/index.ts'),
      'otlp-stack': at('lib/stack/index.ts'),
    },
  },
  test: {
    include: lane === 'node' ? ['test/**/*.test.ts'] : [`test/${lane}/**/*.test.ts`],
    exclude:
      lane === 'node'
        ? ['test/real/**', 'test/packages/**', 'test/bench/**', 'test/cluster/**', '**/node_modules/**']
        : ['**/node_modules/**'],
    // Nothing is judged by its time: a busy machine takes several times as long, and a test that hangs ends all the same.
    testTimeout: lane === 'real' ? 400_000 : 180_000,
    hookTimeout: lane === 'real' ? 400_000 : 180_000,
    fileParallelism: lane === 'node',
    // A worker per core (vitest leaves one idle): files wait for processes and sockets often enough.
    ...(lane === 'node' ? { maxWorkers: availableParallelism() } : {}),
    sequence: { sequencer: SlowestFirst },
  },
});

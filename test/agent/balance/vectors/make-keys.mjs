/**
 * Makes keys.json: the identities of resources and data points that the Collector's loadbalancing exporter hashes (routing_key resource
 * and streamID), and its text of attribute values (attributes), told by its own modules. Needs Go; the tests need only the file.
 *
 *   node test/agent/balance/vectors/make-keys.mjs
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encode } from '../../kit/otlp.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const MODULES = {
  'github.com/open-telemetry/opentelemetry-collector-contrib/internal/exp/metrics': 'v0.155.0',
  'github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatautil': 'v0.155.0',
  'go.opentelemetry.io/collector/pdata': 'v1.61.0',
};

const kv = (key, value) => ({ key, value });
const list = (...values) => ({ arrayValue: { values } });
const map = (...values) => ({ kvlistValue: { values } });
const VALUES = [
  {},
  { stringValue: '' },
  { stringValue: 'checkout <&> "ä\u2028\u0001' },
  { boolValue: true },
  { boolValue: false },
  { intValue: '-9223372036854775808' },
  { intValue: '42' },
  { doubleValue: 1.5 },
  { doubleValue: -0 },
  { doubleValue: 1e21 },
  { doubleValue: 1e-7 },
  { doubleValue: Number.NaN },
  { doubleValue: Number.POSITIVE_INFINITY },
  { bytesValue: Buffer.from([0, 1, 254, 255]) },
  { bytesValue: Buffer.alloc(0) },
  list({ stringValue: 'a<b' }, { intValue: 7 }, {}, list({ boolValue: true })),
  list({ doubleValue: Number.NaN }),
  map(kv('z', { intValue: 1 }), kv('a', { stringValue: 'x' }), kv('b', { bytesValue: Buffer.from('hi') })),
  map(),
  list(),
];
const point = (attributes) => ({ attributes, timeUnixNano: '1' });
const attributes = (n) => [kv('zone', { stringValue: `z${n}` }), kv('a', { intValue: n }), kv('deep', VALUES[n % VALUES.length])];
const metricsOf = (n) => [
  { name: 'g', unit: 'By', gauge: { dataPoints: [point(attributes(n)), point([])] } },
  { name: 's', sum: { isMonotonic: n % 2 === 0, aggregationTemporality: 1 + (n % 2), dataPoints: [point(attributes(n + 1)), point([])] } },
  { name: 'h', histogram: { aggregationTemporality: 2, dataPoints: [point(attributes(n + 2))] } },
  { name: 'e', exponentialHistogram: { aggregationTemporality: 1, dataPoints: [point(attributes(n + 3))] } },
  { name: 'y', summary: { dataPoints: [point(attributes(n + 4))] } },
];
const requests = VALUES.map((value, n) =>
  encode('metrics', {
    resourceMetrics: [
      {
        resource: {
          attributes: n === 1 ? [] : [kv('value', value), kv('b', { intValue: n }), kv('a', { stringValue: 'x'.repeat(n * 3) })],
        },
        scopeMetrics: [
          { scope: { name: n % 2 ? 'lib' : '', version: `${n}`, attributes: n % 3 ? attributes(n) : [] }, metrics: metricsOf(n) },
        ],
      },
    ],
  }),
);

const scratch = mkdtempSync(join(tmpdir(), 'otlp-keys-'));
try {
  const requires = Object.entries(MODULES).map(([path, version]) => `require ${path} ${version}`);
  // Below contrib's path, as internal/ can be imported from nowhere else.
  writeFileSync(
    join(scratch, 'go.mod'),
    `module github.com/open-telemetry/opentelemetry-collector-contrib/keys\n\ngo 1.25\n\n${requires.join('\n')}\n`,
  );
  copyFileSync(join(here, 'keys.go'), join(scratch, 'keys.go'));
  const input = requests.map((request) => request.toString('hex')).join('\n');
  const answer = execFileSync('go', ['run', '-mod=mod', '.'], { cwd: scratch, encoding: 'utf8', input, maxBuffer: 1 << 26 });
  const told = answer
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const about = {
    madeBy: 'test/agent/balance/vectors/make-keys.mjs',
    modules: MODULES,
    license: 'Apache-2.0, The OpenTelemetry Authors; the sources are not part of this repository',
  };
  const vectors = requests.map((request, i) => ({ request: request.toString('hex'), ...told[i] }));
  writeFileSync(join(here, 'keys.json'), `${JSON.stringify({ about, vectors })}\n`);
} finally {
  rmSync(scratch, { recursive: true });
}

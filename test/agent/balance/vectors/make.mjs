/**
 * Makes ring-<kind>.json: which endpoint the Collector's loadbalancing exporter gives each key, told by its own source, which is
 * compiled for it and not kept. Needs Go; the tests need only the files.
 *
 *   node test/agent/balance/vectors/make.mjs collector_0.157 --module v0.157.0
 *       takes consistent_hashing.go from the Go module proxy
 *   node test/agent/balance/vectors/make.mjs collector_0.155 --source consistent_hashing.go --origin "where it is from"
 *       takes a copy of the file: the module proxy lacks the exporter's v0.155.0
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const MODULE = 'github.com/open-telemetry/opentelemetry-collector-contrib/exporter/loadbalancingexporter';
const FILE = 'consistent_hashing.go';

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: { module: { type: 'string' }, source: { type: 'string' }, origin: { type: 'string' } },
});
const [kind] = positionals;
if (kind === undefined || (args.module === undefined) === (args.source === undefined)) {
  console.error('usage: make.mjs KIND (--module VERSION | --source FILE --origin TEXT)');
  process.exit(2);
}

const here = fileURLToPath(new URL('.', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'otlp-ring-'));
try {
  writeFileSync(join(scratch, 'go.mod'), 'module ring\n\ngo 1.24\n');
  const source = args.source ?? join(moduleFolder(args.module), FILE);
  const text = readFileSync(source, 'utf8');
  writeFileSync(join(scratch, FILE), text.replace(/^package \w+.*$/mu, 'package main'));
  copyFileSync(join(here, 'ring.go'), join(scratch, 'ring.go'));
  const made = JSON.parse(execFileSync('go', ['run', '.'], { cwd: scratch, encoding: 'utf8', maxBuffer: 1 << 26 }));
  const about = {
    madeBy: 'test/agent/balance/vectors/make.mjs',
    file: `${MODULE}/${FILE}`,
    origin: args.origin ?? `${MODULE}@${args.module}, Go module proxy`,
    sha256: createHash('sha256').update(text).digest('hex'),
    license: 'Apache-2.0, The OpenTelemetry Authors; the source is not part of this repository',
    owners: 'index into endpoints for each key, in the order of keys (hex)',
  };
  writeFileSync(join(here, `ring-${kind}.json`), `${JSON.stringify({ about, ...made })}\n`);
} finally {
  rmSync(scratch, { recursive: true });
}

function moduleFolder(version) {
  const told = execFileSync('go', ['mod', 'download', '-json', `${MODULE}@${version}`], { cwd: scratch, encoding: 'utf8' });
  return JSON.parse(told).Dir;
}

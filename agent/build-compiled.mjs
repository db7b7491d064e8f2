/**
 * What V8 makes of the chunks of each start, its code cache, so that a start need not compile them: half of what the program added to the
 * boot of Node (test/bench/agent-start.mjs). The bundle is run here until it is ready, as the cache holds those functions that were called.
 *
 *   node --import build-compiled.mjs otlp-agent.mjs --config ...   the same file is the hook that hands them out when stdin ends
 *
 * V8 takes it only from its own version and build, and under its own flags, but for those of the heap's size (--max-old-space-size, as
 * containers set it); anywhere else it compiles the text, as it does later with functions that were not called here. Of the text it only
 * compares the length: a bundle is built, not edited.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const OUT = 'OTLP_BUILD_COMPILED';
/** A machine may be slow, but an agent that starts is ready. */
const READY_WITHIN_MS = 120_000;

/** The common agent; block and flow style, as the functions of the YAML parser for both are wanted. */
const CONFIG = `
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:0
      http: { endpoint: "127.0.0.1:0" }
processors:
  memory_limiter:
    check_interval: 1s
    limit_mib: 512
exporters:
  otlp_grpc:
    endpoint: 127.0.0.1:9
    tls: { insecure: true }
    sending_queue:
      queue_size: 5000
      batch: { flush_timeout: 200ms, min_size: 8192 }
extensions:
  health_check:
    endpoint: '127.0.0.1:0'
service:
  extensions: [health_check]
  telemetry:
    metrics:
      readers: [{ pull: { exporter: { prometheus: { host: 127.0.0.1, port: 0 } } } }]
  pipelines:
    traces:
      receivers: [otlp]
      processors:
        - memory_limiter
      exporters: [otlp_grpc]
`;

/**
 * @param {string} file a bundle
 * @param {readonly string[]} names of chunks
 * @returns {Promise<Map<string, Buffer>>}
 */
export async function compiledBy(file, names) {
  const folder = mkdtempSync(join(tmpdir(), 'otlp-agent-compiled-'));
  const config = join(folder, 'agent.yaml');
  const out = join(folder, 'compiled.json');
  writeFileSync(config, CONFIG);
  try {
    const env = { ...process.env, [OUT]: out };
    delete env.NODE_OPTIONS; // of whoever builds; V8 would keep its flags with the code
    const agent = spawn(process.execPath, ['--import', import.meta.url, file, '--config', config], {
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    agent.stdin.on('error', () => {}); // it has ended by itself, which is told below
    const impatient = setTimeout(() => agent.kill('SIGKILL'), READY_WITHIN_MS);
    const ended = new Promise((resolve) => agent.once('close', resolve));
    let output = '';
    const onText = (text) => {
      const before = output;
      output += text;
      const address = /"health_check":"([^"]+)"/;
      if (!address.test(before) && address.test(output)) whenReady(`http://${address.exec(output)[1]}/readyz`, () => agent.stdin.end());
    };
    agent.stdout.setEncoding('utf8').on('data', onText);
    agent.stderr.setEncoding('utf8').on('data', onText);
    await ended;
    clearTimeout(impatient);
    if (agent.exitCode !== 0) throw new Error(`the bundle did not start (build-bundle.mjs --no-compiled leaves this out):\n${output}`);
    const all = JSON.parse(readFileSync(out, 'utf8'));
    return new Map(names.map((name) => [name, Buffer.from(all[name], 'base64')]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function whenReady(url, then) {
  http
    .get(url, { agent: false }, (response) => {
      response.resume();
      if (response.statusCode === 200) then();
      else setTimeout(whenReady, 10, url, then);
    })
    .on('error', () => setTimeout(whenReady, 10, url, then));
}

/** In the bundle's own process: keeps what it makes, and hands it out when stdin ends. */
function hook(out) {
  const vm = createRequire(import.meta.url)('node:vm');
  const scripts = new Map();
  vm.Script = class extends vm.Script {
    constructor(text, options) {
      super(text, options);
      scripts.set(basename(options.filename), this);
    }
  };
  process.stdin.resume().once('end', () => {
    writeFileSync(
      out,
      JSON.stringify(Object.fromEntries([...scripts].map(([name, one]) => [name, one.createCachedData().toString('base64')]))),
    );
    process.kill(process.pid, 'SIGTERM');
  });
}

if (process.env[OUT] !== undefined) hook(process.env[OUT]);

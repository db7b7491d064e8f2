/**
 * What a bundler does not do by itself, and what makes the program start in half the time (test/bench/agent-start.mjs):
 *
 *   node:http and others   by process.getBuiltinModule instead of import. An import of node:http reads all of its exports, and so loads
 *                          what it only offers (WebSocket, and with it Node's whole copy of undici); so, what is used is loaded, and no
 *                          require has to be made.
 *   undici                 its classes from their files, when the first of them is made. Its index makes fetch, caches, mocks, WebSocket
 *                          and EventSource a part of the program: 1.2 of 3.6 MB before minification.
 *   unused parts           left out: pino's transports, which would load node:assert and node:worker_threads for their files, and metrics
 *                          of kinds that the agent has not.
 */
import { createRequire, isBuiltin } from 'node:module';

const require = createRequire(import.meta.url);
const BUILTIN = '\0builtin:';
const LAZY = new Set(['child_process', 'crypto', 'fs/promises', 'http2', 'vm', 'zlib']);
/** Getters of Node that load more. */
const LATE_CLASSES = { net: new Set(['BlockList']) };
/** To read them is a warning. */
const DEPRECATED = new Set(['fips']);
const UNDICI = '\0undici';
/** What an index loads and nobody uses; an empty class stands for it. */
const UNUSED = [
  /\/@prometheus-io\/client\/lib\/(pushgateway|cluster|worker|defaultMetrics|summary|histogram)\.js$/,
  /\/pino\/lib\/(transport|multistream)\.js$/,
  /\/sonic-boom\/index\.js$/,
  /\/@pinojs\/redact\/index\.js$/,
  /\/on-exit-leak-free\/index\.js$/,
];
const UNDICI_CLASSES = { Agent: 'agent', Pool: 'pool' };

export function lean() {
  const left = new Set(UNUSED);
  return {
    name: 'lean',
    resolveId(id, importer, { kind }) {
      if (kind === 'require-call') return undefined; // reads what it uses, when it is reached
      if (isBuiltin(id) && !importer?.startsWith('\0') && id !== 'node:module' && id !== 'module')
        return { id: BUILTIN + id.replace(/^node:/, ''), moduleSideEffects: false };
      if (id === 'undici' && importer?.endsWith('.ts')) return { id: UNDICI, moduleSideEffects: false };
      return undefined;
    },
    load(id) {
      if (id.startsWith(BUILTIN))
        return LAZY.has(id.slice(BUILTIN.length)) ? lazyBuiltin(id.slice(BUILTIN.length)) : builtin(id.slice(BUILTIN.length));
      if (id === UNDICI) return undici();
      const unused = UNUSED.find((path) => path.test(id));
      left.delete(unused);
      return unused === undefined ? undefined : 'module.exports = class {};';
    },
    // What an update of a dependency has renamed would come back unseen, as commander's child_process did.
    buildEnd() {
      for (const path of left) this.error(`build-lean.mjs: nothing matches ${path} any more`);
    },
  };
}

/**
 * Modules of Node that most agents never need, or not before the first request: node:http2 is 2 MiB and a tenth of the start, node:crypto
 * and node:zlib 8 ms each, and commander has node:child_process (3 ms) for subcommands that are programs of their own. Their functions load them when they are called; their constants are numbers that can be written down.
 */
function lazyBuiltin(name) {
  const module = require(`node:${name}`);
  const functions = Object.keys(module).filter(
    (key) => /^[a-z]\w*$/.test(key) && !DEPRECATED.has(key) && typeof module[key] === 'function',
  );
  const numbers = Object.entries(module.constants ?? {}).filter(([, value]) => typeof value === 'number');
  return [
    `const load = () => process.getBuiltinModule(${JSON.stringify(`node:${name}`)});`,
    ...functions.map((key) => `export const ${key} = (...given) => load().${key}(...given);`),
    `export const constants = ${JSON.stringify(Object.fromEntries(numbers))};`,
    `export default { ${functions.join(', ')} };`,
  ].join('\n');
}

/** Names that nobody imports are dropped with their property, so that nothing is read that is not used. */
function builtin(name) {
  const names = Object.keys(Object.getOwnPropertyDescriptors(require(`node:${name}`))).filter(
    (key) => /^[A-Za-z_$][\w$]*$/.test(key) && key !== 'default',
  );
  const lines = names.map((key, i) =>
    LATE_CLASSES[name]?.has(key) === true
      ? `export function ${key}(...given) { return new all.${key}(...given); }`
      : `const _${i} = /* @__PURE__ */ pick(${JSON.stringify(key)});\nexport { _${i} as ${key} };`,
  );
  return [
    `const all = /* @__PURE__ */ process.getBuiltinModule(${JSON.stringify(`node:${name}`)});`,
    'const pick = (key) => { const found = all[key]; return found; };',
    ...lines,
    'export default all;',
  ].join('\n');
}

/** `request` is given to its classes by its index, which is not read here; no other of those methods is used. */
function undici() {
  const lib = require.resolve('undici').replace(/index\.js$/, 'lib/');
  const from = (file) => `require(${JSON.stringify(`${lib}${file}.js`)})`;
  const withRequest = `${from('dispatcher/dispatcher')}.prototype.request = ${from('api/api-request')}`;
  return Object.entries(UNDICI_CLASSES)
    .map(([name, file]) => `export function ${name}(...given) { ${withRequest}; return new (${from(`dispatcher/${file}`)})(...given); }`)
    .join('\n');
}

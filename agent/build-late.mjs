/**
 * What most agents never use is loaded when it is asked for: components that a configuration does not name, commands that are not run,
 * what a reader of /metrics or of JSON needs. The sources import these modules as any other; only the bundle puts a stand-in between a
 * door, the module that picks one of many, and what it picks from:
 *
 *   process/create-processor.ts --- new TransformProcessor() ---> stand-in --- first use ---> transform.ts and what only that needs
 *
 * With the chunks of build-link.mjs it is what makes the start short: of 1.5 MB V8 compiles 0.5 MB (test/bench/agent-start.mjs; CPU of the
 * main thread until ready, medians of 21 starts in turn: 174 ms with everything in one piece, 113 ms so, 40 ms of them a bare node:http server).
 */
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const AGENT = fileURLToPath(new URL('.', import.meta.url));

/** By door: which of its imports are late. They may export functions, classes, components and plain values; all else is missing for a door. */
const DOORS = {
  'commands/command-line.ts': ['./components.ts', './explain.ts', './health-check.ts', './print-config.ts', './validate.ts'],
  'commands/program.ts': ['./command-line.ts'],
  'commands/run.ts': ['../export/output-file.ts', '../process/detect/detection.ts'],
  'config/registry.ts': [
    '../connect/count-config.ts',
    '../connect/forward-config.ts',
    '../export/debug-config.ts',
    '../export/file-config.ts',
    '../export/loadbalancing-config.ts',
    '../export/nop-config.ts',
    '../export/otlp-http-config.ts',
    '../process/attributes-config.ts',
    '../process/filter-config.ts',
    '../process/probabilistic-sampler-config.ts',
    '../process/redaction-config.ts',
    '../process/resource-config.ts',
    '../process/resource-detection-config.ts',
    '../process/transform-config.ts',
    '../receive/library-config.ts',
    '../register/config.ts',
  ],
  'connect/create-connector.ts': ['./count.ts', './forward.ts'],
  'export/create-transport.ts': ['./debug-transport.ts', './file-transport.ts', './nop-transport.ts'],
  'process/create-processor.ts': [
    './attributes.ts',
    './filter.ts',
    './probabilistic-sampler.ts',
    './redaction.ts',
    './resource-detection.ts',
    './resource.ts',
    './transform.ts',
  ],
  'process/prepare.ts': ['./detect/detection.ts'],
  'receive/http-call.ts': ['../otlp/json/decode.ts'],
  'resolve/create-resolver.ts': [
    './consul/consul-resolver.ts',
    './dns-resolver.ts',
    './etcd/etcd-resolver.ts',
    './k8s/k8s-resolver.ts',
    './static-resolver.ts',
  ],
  'runtime/agent.ts': ['../telemetry/metrics.ts'],
  'runtime/extension.ts': ['../register/registration.ts'],
  'runtime/line.ts': ['../telemetry/metrics.ts'],
  'telemetry/own/own-telemetry.ts': ['./own-line.ts', './tracer.ts'],
};

const STAND_IN = '\0late:';
const HELPERS = '\0late';

/** Marks an import() that the linker makes one at once; see build-link.mjs. */
export const AT_ONCE = '__at_once';

/**
 * @param {object} options
 * @param {boolean} options.inline everything is in one chunk: a stand-in still evaluates what it stands for when it is used
 */
export function late({ inline }) {
  const doors = new Map(Object.entries(DOORS).map(([path, imports]) => [join(AGENT, path), imports]));
  const met = new Set();
  return {
    name: 'late',
    resolveId(id, importer) {
      if (id === HELPERS) return { id, moduleSideEffects: false };
      if (importer === undefined || doors.get(importer)?.includes(id) !== true) return undefined;
      met.add(importer + id);
      return { id: STAND_IN + join(importer, '..', id), moduleSideEffects: false };
    },
    async load(id) {
      if (id === HELPERS) return HELPERS_TEXT;
      return id.startsWith(STAND_IN) ? await standIn(id.slice(STAND_IN.length), inline) : undefined;
    },
    buildEnd() {
      for (const [path, imports] of doors)
        for (const id of imports) if (!met.has(path + id)) this.error(`build-late.mjs: ${path} does not import ${id} any more`);
    },
  };
}

/** The module is looked at here: what a component says of itself is printed into its stand-in, so that a list of all of them loads none. */
async function standIn(path, inline) {
  const text = JSON.stringify(path);
  const exported = Object.entries(await import(pathToFileURL(path).href)).flatMap(([name, value]) => {
    const stand = standFor(name, value);
    return stand === undefined ? [] : [`export const ${name} = /* @__PURE__ */ ${stand};`];
  });
  return [
    `import { late, lateComponent } from ${JSON.stringify(HELPERS)};`,
    `const load = () => ${inline ? `require(${text})` : `${AT_ONCE}(import(${text}))`};`,
    ...exported,
  ].join('\n');
}

function standFor(name, value) {
  if (typeof value === 'function') return `late(load, ${JSON.stringify(name)})`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (!('config' in value && 'build' in value)) return undefined;
  const { config, build, ...facts } = value;
  return `lateComponent(${JSON.stringify(facts)}, load, ${JSON.stringify(name)})`;
}

/** A function or class, also behind `instanceof`; and a Component (config/component.ts), whose lists are what they are without it. */
const HELPERS_TEXT = `
export function late(load, name) {
  return new Proxy(function () {}, {
    apply: (_, self, given) => Reflect.apply(load()[name], self, given),
    construct: (_, given) => Reflect.construct(load()[name], given),
    get: (_, key) => load()[name][key],
  });
}
export function lateComponent(facts, load, name) {
  return {
    ...facts,
    get config() { return load()[name].config; },
    build: (config, context) => load()[name].build(config, context),
  };
}
`;

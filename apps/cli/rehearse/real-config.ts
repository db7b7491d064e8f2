/** The printed configurations of the gateway and of Jaeger, without what cannot be on one machine; every cut is named. */
import { type Mapping, mapping, strings, typeOf } from './values.ts';

const NEEDS_API_SERVER = new Set(['k8s_attributes', 'k8sattributes']);

export interface Cut {
  readonly config: Mapping;
  /** One line each, with the reason. */
  readonly leftOut: readonly string[];
}

/**
 * The gateway's traces pipelines and what their connectors feed, with exactly one destination: Jaeger.
 *
 * @param tracing the exporter to Jaeger
 */
export function gatewayForTraces(printed: Mapping, tracing: string): Cut {
  const service = mapping(printed.service);
  const connectors = new Set(Object.keys(mapping(printed.connectors)));
  const leftOut: string[] = [];
  const pipelines: { [id: string]: Mapping } = {};
  for (const [id, value] of Object.entries(mapping(service.pipelines))) {
    const pipeline = mapping(value);
    if (typeOf(id) !== 'traces' && !strings(pipeline.receivers).some((receiver) => connectors.has(receiver))) {
      leftOut.push(`pipeline ${id}: its destination does not run here (${strings(pipeline.exporters).join(', ')})`);
      continue;
    }
    const processors = strings(pipeline.processors).filter((processor) => !NEEDS_API_SERVER.has(typeOf(processor)));
    const exporters = strings(pipeline.exporters).filter(
      (exporter) => exporter === tracing || connectors.has(exporter) || typeOf(exporter) === 'prometheus',
    );
    for (const exporter of strings(pipeline.exporters).filter((each) => !exporters.includes(each))) {
      leftOut.push(`exporter ${exporter} of pipeline ${id}: its destination does not run here`);
    }
    pipelines[id] = { ...pipeline, processors, exporters };
  }
  const processors = Object.keys(mapping(printed.processors)).filter((processor) => NEEDS_API_SERVER.has(typeOf(processor)));
  for (const processor of processors) {
    leftOut.push(`processor ${processor}: it asks a Kubernetes API server`);
  }
  return { config: withoutUnused({ ...printed, service: { ...service, pipelines } }), leftOut };
}

/** Components that no pipeline names any more: their settings (passwords, addresses) need nothing here. */
function withoutUnused(config: Mapping): Mapping {
  const pipelines = Object.values(mapping(mapping(config.service).pipelines)).map(mapping);
  const used = new Set(pipelines.flatMap(({ receivers, processors, exporters }) => [receivers, processors, exporters].flatMap(strings)));
  const sections = ['receivers', 'processors', 'exporters', 'connectors'].flatMap((section) => {
    const kept = Object.entries(mapping(config[section])).filter(([id]) => used.has(id));
    return config[section] === undefined ? [] : [[section, Object.fromEntries(kept)] as const];
  });
  return { ...config, ...Object.fromEntries(sections) };
}

/**
 * Jaeger with memory storage, whatever backend is printed.
 *
 * @param memory the storage block of the development profile, asked for only where it is needed
 */
export function jaegerInMemory(printed: Mapping, memory: () => Mapping): Cut {
  const extensions = mapping(printed.extensions);
  const storage = mapping(extensions.jaeger_storage);
  const leftOut: string[] = [];
  const backends = Object.entries(mapping(storage.backends)).map(([name, backend]) => {
    const kind = Object.keys(mapping(backend))[0];
    if (kind === 'memory') {
      return [name, backend];
    }
    leftOut.push(`Jaeger's ${kind} storage (backend ${name}): memory instead, as the development profile prints it`);
    return [name, memory()];
  });
  return {
    config: { ...printed, extensions: { ...extensions, jaeger_storage: { ...storage, backends: Object.fromEntries(backends) } } },
    leftOut,
  };
}

/** docs/reference/support.md: which programs the tests run, what stands in for the others, and every difference to what was printed. */
import catalogue from '../../lib/catalog/build/index.js';
import stack from '../../lib/stack/build/index.js';
import { EXCEPTIONS } from '../../test/real/agent-agreement.exceptions.ts';
import { METRIC_EXCEPTIONS } from '../../test/real/observability.exceptions.ts';
import { overridesTable } from '../../test/real/overrides.ts';

const { catalog } = catalogue;

/** By the catalogue's name of the program: what is proven although it cannot run where the tests run, and by what. */
const WITHOUT_RUNNING = {
  grafana:
    'Dashboards come from its typed SDK. Each of their queries is parsed in `npm test` and asked of a real Prometheus in `npm run test:real`.',
  fluentd: 'Its configuration comes from a typed printer, which is tested by reading back what it printed.',
  elasticsearch: 'OpenSearch 2.19.1 stands in where only the API that both share is used: Jaeger writes to it and reads from it.',
  keda: 'Its custom resources are validated against closed schemas made from its CRDs and applied to a real API server by dry run.',
  kubelet: 'A recorded exposition that names its source stands in for its cAdvisor endpoint.',
};

export async function generate() {
  const { Images } = stack;
  const pinned = versionsOf(Images.pinned());
  const latest = versionsOf(Images.latest());
  const programs = catalog.programs().flatMap((program) => catalog.versions(program).map((version) => catalog.program(program, version)));
  const image = ({ program, version }) => {
    if (pinned[program] === version) return 'pinned';
    return latest[program] === version ? 'latest' : '';
  };
  return {
    'docs/reference/support.md': `${[
      '# What was run and what was not',
      '`Images.pinned()`, the default, names versions that the tests start with the files that are printed, as far as a program can be had without an image registry. `Images.latest()` names the newest ones. This page is made from the catalogue and from the lists that the tests use.',
      '## Programs',
      table(
        ['program', 'version', 'images', 'run in the tests', 'note'],
        programs.map((facts) => [facts.title, facts.version, image(facts), facts.run ? 'yes' : 'no', facts.note ?? '']),
      ),
      'The Collector that is run is built from the modules of that version and holds fewer components than the published distributions. The `elasticsearch` exporter is not among them: configurations that name it are validated with that one exporter replaced.',
      '## What cannot run here',
      table(
        ['program', 'what is proven all the same'],
        Object.entries(WITHOUT_RUNNING).map(([program, proof]) => [
          catalog.program(program, catalog.versions(program).at(-1)).title,
          proof,
        ]),
      ),
      'Pods on a real cluster, TLS between the programs and the disk queue are not part of this version.',
      '## Differences between a printed file and the file that runs',
      'The tests change printed files only through this list (`test/real/overrides.ts`), by code, and a change that finds nothing to change fails.',
      overridesTable(),
      '## Metrics that the tests cannot see',
      'Every query of every rule and dashboard is asked of a live Prometheus. These metrics may be missing there:',
      table(
        ['metrics', 'why'],
        Object.entries(METRIC_EXCEPTIONS).map(([pattern, why]) => [`\`${pattern}\``, why]),
      ),
      '## Where the agent and the Collector judge a configuration differently',
      '`otlp-agent validate` and `otelcol validate` are given the same configurations and mutations of them. They agree, except here:',
      table(
        ['refused by', 'why'],
        EXCEPTIONS.map(({ refusedBy, reason }) => [refusedBy, reason]),
      ),
    ].join('\n\n')}\n`,
  };
}

function versionsOf(images) {
  return {
    'otlp-agent': images.agent.version,
    'sample-service': images.sampleService.version,
    otelcol: images.collector.version,
    jaeger: images.jaeger.version,
    prometheus: images.prometheus.version,
    alertmanager: images.alertmanager.version,
    'kube-state-metrics': images.kubeStateMetrics.version,
    grafana: images.grafana.version,
    fluentd: images.fluentd.version,
    elasticsearch: images.elasticsearch.version,
  };
}

function table(header, rows) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

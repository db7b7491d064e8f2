/** docs/reference/support.md: which programs the tests run, what stands in for the others, and every difference to what was printed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import catalogue from '../../lib/catalog/build/index.js';
import stack from '../../lib/stack/build/index.js';
import { EXCEPTIONS } from '../../test/real/agent-agreement.exceptions.ts';
import { METRIC_EXCEPTIONS } from '../../test/real/observability.exceptions.ts';
import { overridesTable } from '../../test/real/overrides.ts';
import { ROOT } from '../bootstrap.mjs';

const { catalog } = catalogue;

/** Program, what it was run with and for what, in which tests. */
const RUN = [
  [
    'otlp-stack agent, sample service',
    'the printed `agent.yaml` and `production.yaml` with the printed variables; spans of the OpenTelemetry SDK counted up to Jaeger; ends without losing the last ones',
    ['chain', 'rehearsal', 'agent-gateway-outage'],
  ],
  [
    'OpenTelemetry Collector',
    "`otelcol validate` on every printed configuration; the printed gateway runs between agent and Jaeger; every typed component in both spellings; the agent's and the Collector's judgement compared",
    [
      'collector-config',
      'collector-config-properties',
      'collector-spelling',
      'chain',
      'gateway-delivery',
      'agent-agreement',
      'agent-agreement-yaml',
    ],
  ],
  [
    'the agent beside the Collector',
    'the same requests through both: each statement of OTLP, every processor and connector that both have (200 and more generated requests each), JSON, compressions, the file exporter, verdicts of the memory limiter; two Collectors behind each balancer, one killed under load; the OpenTelemetry exporters of the library through outages',
    [
      'statements/statements',
      'processors/transform',
      'processors/filter',
      'processors/attributes',
      'processors/resource',
      'processors/resource-detection',
      'processors/redaction',
      'processors/sampler',
      'processors/count',
      'connectors',
      'json',
      'compression',
      'file-exporter',
      'memory-limiter-verdicts',
      'balancing',
      'library-exporters',
    ],
  ],
  [
    'clients of the agent: Python grpcio, telemetrygen (grpc-go), curl, grpc-js',
    'what each sends arrives, and each understands the refusals',
    ['statements/clients'],
  ],
  [
    'etcd, Kubernetes API server, for the agent',
    'resolvers and registration: killed, restarted, compacted, failed over, cut off; tokens and certificates that rotate; an agent that joins and leaves a tier',
    ['resolve/etcd-resolver', 'resolve/etcd-model', 'resolve/etcd-registration', 'resolve/k8s-resolver', 'resolve/tier'],
  ],
  [
    'Jaeger',
    "the development profile's configuration in memory; the production profile's on OpenSearch, with only the address and the folder of the password changed: spans written over both ports, read back through the query API, again after a restart, and refused with a wrong password",
    ['chain', 'jaeger-storage', 'observability'],
  ],
  [
    'Prometheus, promtool',
    'check config, check rules, unit tests of every alert; discovery through a real API server with the printed account; every query of rules and dashboards; OTLP metrics under their promised names',
    ['rules', 'discovery', 'observability', 'metric-spelling'],
  ],
  [
    'Alertmanager, amtool',
    'check-config and routes; an alert fired by a stopped backend arrives at a webhook and resolves',
    ['rules', 'observability'],
  ],
  [
    'kube-state-metrics',
    'with the printed arguments and account, against the API server with pods that kwok runs',
    ['observability', 'catalog'],
  ],
  [
    'Kubernetes API server 1.36',
    "every object applied by server-side dry run, every pod template as a bare Pod under Pod Security, and refused when made privileged; the Collector's account with each of its rules removed; the output of `otlp-stack secrets` applied",
    ['kubernetes-api', 'kubernetes-rbac', 'cli-secrets'],
  ],
  [
    'OpenSearch 2.19.1, for Elasticsearch',
    "Jaeger's storage; the logs' index template: data stream, roll-over, search by trace id. It has no ILM and no `_security` API: these requests of the setup Job are compared with a server that writes them down (`npm test`)",
    ['jaeger-storage'],
  ],
];

/** Beside the programs of the catalogue. */
const NOT_RUN_EITHER = [
  [
    'the Pulumi engine and its Kubernetes provider',
    "No plug-in of it can be had here. Both programs run under Pulumi's mocks: the same resources as in `dist/`, in the right order, without a secret's value.",
  ],
  [
    'the elasticsearch exporter of the Collector',
    'Each configuration that names it is validated with that one exporter replaced; its own keys are judged by no program.',
  ],
  ['Consul', 'It cannot be had here. Its resolver and the registration are tested against a server written after its documented API.'],
  [
    'the loadbalancing exporter of the Collector',
    'It cannot be built here. The ring agrees, key for key, with vectors made by its own source (`test/agent/balance/vectors`, with the origin of each file); that of 0.155 comes from a repository derived from it.',
  ],
  [
    'container runtime and scheduler',
    'Images are named, not pulled; `test/real` starts the same programs as processes with the printed arguments, files and variables.',
  ],
];

/** What stays true when every test passes. */
const LIMITS = [
  'Jaeger writes to Elasticsearch through a bulk queue in its process, a flush every 200 ms: what it has acknowledged to the gateway and not flushed yet is lost when it is killed. On SIGTERM it is written.',
  "Nothing removes Jaeger's daily indices. Until the stack does, give them a lifecycle policy of your own (pattern `jaeger-jaeger-*`).",
  'One OTLP/JSON item of tens of MiB, a metric with millions of points, is converted in one go: seconds in which the agent does nothing else. Larger JSON bodies of many items are converted between other work.',
  'The memory limit of the agent counts what requests hold exactly, and collects garbage near it; what the allocator keeps of thousands of broken connections is bounded by neither. `docs/reference/faults.md` has figures; give the container a fifth more than the limit.',
  'Pods on a real cluster, TLS between the programs, and guarantees of the agent across SIGKILL are not part of this version.',
];

/** By the catalogue's name of the program: what is proven although it cannot run where the tests run, and by what. */
const WITHOUT_RUNNING = {
  grafana:
    'Dashboards come from its typed SDK. Each of their queries is parsed in `npm test` and asked of a real Prometheus in `npm run test:real`.',
  fluentd: 'Its configuration comes from a typed printer, which is tested by reading back what it printed.',
  elasticsearch:
    'OpenSearch 2.19.1 stands in where only the API that both share is used, see above. The script of the setup Job is run by sh and curl. `elasticsearch.yml` and the lifecycle policy are judged by no program.',
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
      '## What was run, and where',
      'In `npm run test:real`. A program that is not built on your machine is skipped there, and the closing line says so.',
      table(
        ['program', 'with what, for what', 'tests'],
        RUN.map(([program, what, tests]) => [program, what, tests.map(link).join(', ')]),
      ),
      '## What cannot run here',
      table(
        ['program', 'what is proven all the same'],
        [
          ...Object.entries(WITHOUT_RUNNING).map(([program, proof]) => [
            catalog.program(program, catalog.versions(program).at(-1)).title,
            proof,
          ]),
          ...NOT_RUN_EITHER,
        ],
      ),
      '## Known limits',
      LIMITS.map((limit) => `- ${limit}`).join('\n'),
      '## Differences between a printed file and the file that runs',
      'The tests change printed files only through this list (`test/real/overrides.ts`), by code, and a change that finds nothing to change fails.',
      overridesTable(),
      'The lists of exceptions below are files too, each entry with its reason: [metrics](../../test/real/observability.exceptions.ts), [configurations](../../test/real/agent-agreement.exceptions.ts). An entry of the second that is no longer needed fails.',
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

function link(test) {
  const file = `test/real/${test}.test.ts`;
  if (!existsSync(join(ROOT, file))) throw new Error(`scripts/docs/support.mjs names ${file}, which does not exist`);
  return `[${test}](../../${file})`;
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

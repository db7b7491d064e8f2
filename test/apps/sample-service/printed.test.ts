/** The process runs with exactly what otlp-stack prints for it: the ConfigMap's file and the container's variables, addresses apart. */
import { Testing } from 'cdk8s';
import { ExportProtocol, OtlpService, type OtlpServiceProps } from 'otlp-stack';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OtlpSink, startOtlpSink } from '../../support/otlp-sink.ts';
import { runService } from './run-service.ts';

interface Printed {
  readonly kind: string;
  readonly data?: { readonly [file: string]: string };
  readonly spec?: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly env: readonly PrintedVariable[] }[] } };
  };
}
interface PrintedVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
}

/** What the kubelet would put in for the downward API. */
const POD: { readonly [fieldPath: string]: string } = {
  'metadata.name': 'checkout-5d9-x2x',
  'metadata.namespace': 'observability',
  'spec.nodeName': 'node-1',
};

function print(props: OtlpServiceProps): { yaml: string; env: { [name: string]: string } } {
  const chart = Testing.chart();
  new OtlpService(chart, 'Service', { name: 'checkout', clusterName: 'blue', ...props });
  const objects = Testing.synth(chart) as Printed[];
  const env: { [name: string]: string } = {};
  for (const { name, value, valueFrom } of objects.find(({ kind }) => kind === 'Deployment')?.spec?.template.spec.containers[0]?.env ??
    []) {
    // As the kubelet does: $(NAME) refers to variables printed before.
    env[name] = valueFrom
      ? (POD[valueFrom.fieldRef.fieldPath] ?? '')
      : (value ?? '').replace(/\$\((\w+)\)/g, (_all, other: string) => env[other] ?? '');
  }
  const yaml =
    objects.flatMap(({ kind, data }) => (kind === 'ConfigMap' && data?.['production.yaml'] ? [data['production.yaml']] : []))[0] ?? '';
  return { yaml, env };
}

let sink: OtlpSink;
beforeEach(async () => {
  sink = await startOtlpSink();
});
afterEach(() => sink.close());

describe('the printed service', () => {
  it.each([
    ['http/protobuf by default', {}, 'http'],
    ['grpc by a prop', { exportProtocol: ExportProtocol.GRPC }, 'grpc'],
  ] as const)('exports with the printed file and variables: %s', async (_title, props, transport) => {
    const { yaml, env } = print(props);
    expect(yaml).not.toBe('');
    expect(Object.keys(env)).toEqual(
      expect.arrayContaining([
        'OTLP__SERVICE__NAME',
        'OTLP__SERVICE__ENVIRONMENT',
        'OTLP__SERVICE__INSTANCE_ID',
        'OTLP__EXPORTER__ENDPOINT',
      ]),
    );
    const local = (text: string): string =>
      text.replaceAll('http://localhost:4318', sink.httpUrl).replaceAll('http://localhost:4317', `http://${sink.grpcAddress}`);
    const service = await runService({
      yaml: local(yaml),
      env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, local(value)])),
    });
    await fetch(service.url);
    await sink.until(() => sink.spans().length === 1);
    expect(sink.requests[0]?.transport).toBe(transport);
    expect(sink.spans()[0]?.resource).toMatchObject({
      'service.name': 'checkout',
      'service.instance.id': 'checkout-5d9-x2x',
      'deployment.environment': 'observability',
      'deployment.environment.name': 'observability',
      'k8s.cluster.name': 'blue',
      'k8s.namespace.name': 'observability',
      'k8s.pod.name': 'checkout-5d9-x2x',
      'k8s.node.name': 'node-1',
    });
    expect((await service.line('listening')).message).toBe('listening');
    expect(service.log.filter(({ level }) => level === 'warn')).toEqual([]);
    expect(await service.stop()).toBe(0);
  });
});

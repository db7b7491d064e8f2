/** Both ways of apps/pulumi under Pulumi's own mocks: the real SDK makes the resources; the provider itself cannot run here. */
import * as pulumi from '@pulumi/pulumi';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { manifestGroup } from '../../../apps/pulumi/manifests.ts';
import { type KubernetesObject, typedResources } from '../../../apps/pulumi/resources.ts';
import { renderStack } from '../../../apps/pulumi/stack.ts';

interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: KubernetesObject;
}

const registered: Registered[] = [];
const rendered = renderStack();
const id = ({ apiVersion, kind, metadata }: KubernetesObject): string =>
  `${apiVersion} ${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
const made = (): Registered[] => registered.filter(({ inputs }) => inputs?.kind !== undefined);

beforeEach(async () => {
  registered.length = 0;
  await pulumi.runtime.setMocks({
    newResource: (args) => {
      registered.push({ type: args.type, name: args.name, inputs: args.inputs as KubernetesObject });
      return { id: `${args.name}-id`, state: args.inputs };
    },
    // What the engine's provider does with `yaml:decode`: documents to objects.
    call: (args) =>
      args.token === 'kubernetes:yaml:decode'
        ? { result: parseAllDocuments((args.inputs as { text: string }).text).map((document) => document.toJS()) }
        : {},
  });
});

const settled = async (count: number): Promise<void> => {
  await expect.poll(() => made().length, { timeout: 15_000 }).toBe(count);
};

describe.each([
  ['one group of rendered manifests', () => void manifestGroup('otlp-stack', rendered.yaml)],
  ['typed resources', () => void typedResources(rendered.objects)],
])('%s', (_, run) => {
  it('makes exactly the objects that cdk8s prints', async () => {
    run();
    await settled(rendered.objects.length);
    expect(
      made()
        .map(({ inputs }) => id(inputs))
        .sort(),
    ).toEqual(rendered.objects.map(id).sort());
  });

  it('hands over every field of every object', async () => {
    run();
    await settled(rendered.objects.length);
    for (const object of rendered.objects) {
      expect(made().find(({ inputs }) => id(inputs) === id(object))?.inputs).toMatchObject(object);
    }
  });

  it('holds no secret: none is made, every password is a reference', async () => {
    run();
    await settled(rendered.objects.length);
    expect(made().filter(({ inputs }) => inputs.kind === 'Secret')).toEqual([]);
    const variables =
      JSON.stringify(made().map(({ inputs }) => inputs)).match(/\{"name":"[A-Z_]*(?:PASSWORD|TOKEN|SECRET)[A-Z_]*","[a-zA-Z]+":/g) ?? [];
    expect(variables.length).toBeGreaterThan(0);
    expect(variables.filter((variable) => !variable.endsWith('"valueFrom":'))).toEqual([]);
  });
});

describe('typed resources', () => {
  it('wait for their namespace, their rights and their configuration', async () => {
    const resources = typedResources(rendered.objects);
    await settled(rendered.objects.length);
    const order = made().map(({ inputs }) => id(inputs));
    expect(resources).toHaveLength(rendered.objects.length);
    const position = (kind: string, name: string): number =>
      order.findIndex((entry) => entry.includes(` ${kind} `) && entry.endsWith(`/${name}`));
    for (const [kind, name] of [
      ['StatefulSet', 'elasticsearch'],
      ['Deployment', 'otlp-service'],
      ['Deployment', 'otel-collector'],
    ] as const) {
      const at = position(kind, name);
      expect(at).toBeGreaterThan(position('Namespace', 'observability'));
      expect(at).toBeGreaterThan(position('ServiceAccount', name));
      expect(at).toBeGreaterThan(position('ConfigMap', `${name}-config`));
    }
    expect(position('ScaledObject', 'otlp-service')).toBeGreaterThan(position('Deployment', 'otlp-service'));
  });

  it("are of the SDK class of their kind; KEDA's is a custom resource", async () => {
    typedResources(rendered.objects);
    await settled(rendered.objects.length);
    const types = Object.fromEntries(made().map(({ inputs, type }) => [inputs.kind, type]));
    expect(types).toMatchObject({
      Deployment: 'kubernetes:apps/v1:Deployment',
      NetworkPolicy: 'kubernetes:networking.k8s.io/v1:NetworkPolicy',
      ScaledObject: 'kubernetes:keda.sh/v1alpha1:ScaledObject',
    });
  });
});

/** `pulumi up`: the reference stack, as typed resources or as one group of rendered manifests (`pulumi config set otlp-stack:way manifests`). */
import * as pulumi from '@pulumi/pulumi';
import { manifestGroup } from './manifests.ts';
import { typedResources } from './resources.ts';
import { renderStack } from './stack.ts';

const config = new pulumi.Config('otlp-stack');
const stack = renderStack({ clusterName: config.get('clusterName') ?? 'default' });
const way = config.get('way') ?? 'resources';

if (way === 'manifests') {
  manifestGroup('otlp-stack', stack.yaml);
} else if (way === 'resources') {
  typedResources(stack.objects);
} else {
  throw new Error(
    `config otlp-stack:way is '${way}', which is neither 'resources' nor 'manifests': pulumi config set otlp-stack:way resources`,
  );
}

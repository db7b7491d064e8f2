import * as k8s from '@pulumi/kubernetes';
import type { ComponentResourceOptions } from '@pulumi/pulumi';

/**
 * The rendered manifests as one group: the shortest way. Pulumi decodes the YAML in its engine and makes a resource of each document.
 *
 * @see https://www.pulumi.com/registry/packages/kubernetes/api-docs/yaml/configgroup/
 */
export function manifestGroup(name: string, yaml: string, options?: ComponentResourceOptions): k8s.yaml.ConfigGroup {
  return new k8s.yaml.ConfigGroup(name, { yaml: [yaml] }, options);
}

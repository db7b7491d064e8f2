import { App } from 'cdk8s';
import { OtlpStack, type OtlpStackProps } from 'otlp-stack';
import type { KubernetesObject } from './resources.ts';

export interface RenderedStack {
  readonly objects: KubernetesObject[];
  /** The same as YAML documents. */
  readonly yaml: string;
}

/** Renders the reference stack in this process; nothing is written. */
export function renderStack(props: OtlpStackProps = {}): RenderedStack {
  const app = new App();
  new OtlpStack(app, 'otlp', props);
  return { objects: app.charts.flatMap((chart) => chart.toJson() as KubernetesObject[]), yaml: app.synthYaml() };
}

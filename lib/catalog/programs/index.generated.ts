// Written by lib/catalog/scripts; do not edit.
import type { ProgramFacts } from '../model';
import alertmanager_0_34_2 from './alertmanager/0.34.2.json';
import jaeger_2_13_0 from './jaeger/2.13.0.json';
import kube_state_metrics_2_15_0 from './kube-state-metrics/2.15.0.json';
import otelcol_0_155_0 from './otelcol/0.155.0.json';
import prometheus_3_15_0 from './prometheus/3.15.0.json';

export const PROGRAMS: readonly ProgramFacts[] = [
  alertmanager_0_34_2 as unknown as ProgramFacts,
  jaeger_2_13_0 as unknown as ProgramFacts,
  kube_state_metrics_2_15_0 as unknown as ProgramFacts,
  otelcol_0_155_0 as unknown as ProgramFacts,
  prometheus_3_15_0 as unknown as ProgramFacts,
];

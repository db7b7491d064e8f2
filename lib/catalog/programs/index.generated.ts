// Written by lib/catalog/scripts; do not edit.
import type { ProgramFacts } from '../model';
import alertmanager_0_34_2 from './alertmanager/0.34.2.json';
import elasticsearch_9_5_1 from './elasticsearch/9.5.1.json';
import fluentd_1_19_3 from './fluentd/1.19.3.json';
import grafana_13_3_0 from './grafana/13.3.0.json';
import jaeger_2_13_0 from './jaeger/2.13.0.json';
import jaeger_2_21_0 from './jaeger/2.21.0.json';
import keda_2_21_0 from './keda/2.21.0.json';
import kube_state_metrics_2_15_0 from './kube-state-metrics/2.15.0.json';
import kube_state_metrics_2_20_0 from './kube-state-metrics/2.20.0.json';
import kubelet_1_36_3 from './kubelet/1.36.3.json';
import otelcol_0_155_0 from './otelcol/0.155.0.json';
import otelcol_0_160_0 from './otelcol/0.160.0.json';
import otelcol_0_161_0 from './otelcol/0.161.0.json';
import otlp_agent_0_1_0 from './otlp-agent/0.1.0.json';
import prometheus_3_15_0 from './prometheus/3.15.0.json';
import sample_service_0_1_0 from './sample-service/0.1.0.json';

export const PROGRAMS: readonly ProgramFacts[] = [
  alertmanager_0_34_2 as unknown as ProgramFacts,
  elasticsearch_9_5_1 as unknown as ProgramFacts,
  fluentd_1_19_3 as unknown as ProgramFacts,
  grafana_13_3_0 as unknown as ProgramFacts,
  jaeger_2_13_0 as unknown as ProgramFacts,
  jaeger_2_21_0 as unknown as ProgramFacts,
  keda_2_21_0 as unknown as ProgramFacts,
  kube_state_metrics_2_15_0 as unknown as ProgramFacts,
  kube_state_metrics_2_20_0 as unknown as ProgramFacts,
  kubelet_1_36_3 as unknown as ProgramFacts,
  otelcol_0_155_0 as unknown as ProgramFacts,
  otelcol_0_160_0 as unknown as ProgramFacts,
  otelcol_0_161_0 as unknown as ProgramFacts,
  otlp_agent_0_1_0 as unknown as ProgramFacts,
  prometheus_3_15_0 as unknown as ProgramFacts,
  sample_service_0_1_0 as unknown as ProgramFacts,
];

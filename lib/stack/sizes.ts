import { Size } from 'cdk8s';
import { Profile } from './model/profile';
import { Cpu, type Resources } from './model/quantities';

/** Resources of every container of the reference stack on one small node: the requests add up to less than 2 CPU and 4 GiB. */
const DEVELOPMENT: { [component: string]: Resources } = {
  service: small(100, 192, 512),
  agent: small(50, 128, 256),
  gateway: small(100, 256, 1024),
  jaeger: small(100, 256, 1024),
  elasticsearch: small(300, 1280, 1536),
  prometheus: small(150, 384, 1024),
  alertmanager: small(20, 64, 128),
  kubeStateMetrics: small(20, 64, 256),
  grafana: small(100, 192, 384),
  fluentd: small(50, 192, 384),
};

/** The resources of a component in `profile`; undefined leaves the component's own default (production). */
export function sizeOf(profile: Profile, component: string): Resources | undefined {
  return profile === Profile.DEVELOPMENT ? DEVELOPMENT[component] : undefined;
}

function small(cpuMillis: number, requestMiB: number, limitMiB: number): Resources {
  return {
    cpuRequest: Cpu.millis(cpuMillis),
    memoryRequest: Size.mebibytes(requestMiB),
    cpuLimit: Cpu.cores(1),
    memoryLimit: Size.mebibytes(limitMiB),
  };
}

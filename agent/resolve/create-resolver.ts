import type { Log } from '../telemetry/log.ts';
import { ConsulResolver } from './consul/consul-resolver.ts';
import { DnsResolver } from './dns-resolver.ts';
import { EtcdResolver } from './etcd/etcd-resolver.ts';
import { K8sResolver } from './k8s/k8s-resolver.ts';
import type { Resolver } from './resolver.ts';
import type { ResolverSettings } from './settings.ts';
import { StaticResolver } from './static-resolver.ts';

/** The resolver of these settings. Nothing is asked before start(). */
export function createResolver(settings: ResolverSettings, log: Log): Resolver {
  switch (settings.kind) {
    case 'static':
      return new StaticResolver(settings, log);
    case 'dns':
      return new DnsResolver(settings, log);
    case 'k8s':
      return new K8sResolver(settings, log);
    case 'consul':
      return new ConsulResolver(settings, log);
    case 'etcd':
      return new EtcdResolver(settings, log);
  }
}

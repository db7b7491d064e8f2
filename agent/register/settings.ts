import type { Upstream } from '../resolve/resolver.ts';
import type { ConsulSettings, EtcdSettings } from '../resolve/settings.ts';

/** Extension `registration`: where the agent tells others that it can be reached. Times are milliseconds. */
export interface RegistrationSettings {
  readonly kind: 'registration';
  /** As written: `registration/etcd`. */
  readonly id: string;
  /** What others are to dial, and its share of the traffic. */
  readonly upstream: Upstream;
  /** Tells this instance from the others: the id of the Consul service, the end of the etcd key. */
  readonly instance: string;
  /** After this time without a sign of life the registry forgets the agent. */
  readonly ttlMs: number;
  readonly registry: ConsulRegistrySettings | EtcdRegistrySettings;
}

export interface ConsulRegistrySettings extends ConsulSettings {
  readonly kind: 'consul';
  /** Name of the service. */
  readonly service: string;
  readonly tags: readonly string[];
  /** `DeregisterCriticalServiceAfter`: Consul removes an instance that was critical for so long. */
  readonly deregisterAfterMs: number;
}

export interface EtcdRegistrySettings extends EtcdSettings {
  readonly kind: 'etcd';
  readonly prefix: string;
}

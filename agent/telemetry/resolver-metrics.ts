import type { Registration } from '../register/registration.ts';
import type { Resolver } from '../resolve/resolver.ts';
import type { MetricDefinition } from './metrics.ts';

/** A resolver and the exporter that it works for. */
export interface ResolverOf {
  readonly exporter: string;
  readonly resolver: Pick<Resolver, 'kind' | 'status'>;
}

/**
 * What the Collector's names do not say of a resolver: whether its last try worked. What was found, how often and what changed is in
 * balance-metrics.ts, under those names.
 */
export function resolverMetrics(all: () => Iterable<ResolverOf>): MetricDefinition[] {
  return [
    {
      name: 'otlp_agent_resolver_up',
      type: 'gauge',
      help: '1 where the last try of the resolver gave a list that could be read as a whole; 0 while the last good list is kept.',
      labels: ['exporter', 'resolver'],
      upstream: false,
      *samples() {
        // One resolver for each signal of an exporter: the worst of them counts.
        const worst = new Map<string, { readonly labels: { exporter: string; resolver: string }; readonly value: number }>();
        for (const { exporter, resolver } of all()) {
          const value = resolver.status.ok ? 1 : 0;
          const key = `${exporter} ${resolver.kind}`;
          if ((worst.get(key)?.value ?? 1) >= value) worst.set(key, { labels: { exporter, resolver: resolver.kind }, value });
        }
        yield* worst.values();
      },
    },
  ];
}

/** Of the registration extensions. */
export function registrationMetrics(all: () => Iterable<Pick<Registration, 'id' | 'status' | 'counts'>>): MetricDefinition[] {
  const one = (
    name: string,
    type: 'counter' | 'gauge',
    help: string,
    value: (registration: Pick<Registration, 'status' | 'counts'>) => number,
  ): MetricDefinition => ({
    name,
    type,
    help,
    labels: ['extension'],
    upstream: false,
    samples: () => [...all()].map((registration) => ({ labels: { extension: registration.id }, value: value(registration) })),
  });
  return [
    one('otlp_agent_registration_up', 'gauge', '1 where the last try to reach the registry worked.', ({ status }) => (status.ok ? 1 : 0)),
    one(
      'otlp_agent_registrations',
      'counter',
      'Number of times that the agent was entered in the registry: once at start, and again where it was forgotten.',
      ({ counts }) => counts.registrations,
    ),
    one('otlp_agent_registration_failures', 'counter', 'Number of failed tries to reach the registry.', ({ counts }) => counts.failures),
  ];
}

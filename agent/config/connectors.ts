import type { ConfiguredMap } from './components.ts';
import type { Findings } from './parse.ts';
import type { PipelinePlan } from './pipelines.ts';
import { originAt, type PathStep } from './tree.ts';

export interface ConnectorNeighbours {
  readonly receivers: ConfiguredMap<unknown>;
  readonly exporters: ConfiguredMap<unknown>;
  readonly connectors: ConfiguredMap<unknown>;
}

/**
 * A connector joins pipelines: each that is used must be an exporter of one and a receiver of another, of signals that it can join, and
 * no pipeline may reach itself. The rules are those of service/internal/graph upstream.
 */
export function checkConnectors(plans: readonly PipelinePlan[], configured: ConnectorNeighbours, findings: Findings): void {
  const report = (path: readonly PathStep[], message: string): void => {
    findings.problems.push({ code: 'OTLP_CONFIG_PIPELINE', path, origin: originAt(findings.root, path), message });
  };
  for (const [id, { component, path }] of configured.connectors) {
    for (const other of ['receivers', 'exporters'] as const) {
      if (configured[other].has(id)) report(path, `"${id}" is configured under ${other} too; one of them needs another name`);
    }
    const begins = plans.filter((plan) => plan.exporters.includes(id));
    const ends = plans.filter((plan) => plan.receivers.includes(id));
    for (const plan of begins) {
      const allowed = component.routes[plan.signal] ?? [];
      if (ends.some((end) => allowed.includes(end.signal))) continue;
      report(
        [...plan.path, 'exporters', plan.exporters.indexOf(id)],
        `the connector "${id}" is an exporter here, and no pipeline of ${allowed.join(' or ') || 'any signal'} has it as a receiver`,
      );
    }
    for (const plan of ends) {
      if (begins.some((begin) => (component.routes[begin.signal] ?? []).includes(plan.signal))) continue;
      report(
        [...plan.path, 'receivers', plan.receivers.indexOf(id)],
        `the connector "${id}" is a receiver here, and no pipeline that it can make ${plan.signal} of has it as an exporter`,
      );
    }
  }
  const cycle = findCycle(plans, configured.connectors);
  if (cycle !== undefined) report((cycle[0] as PipelinePlan).path, `is part of a circle: ${cycle.map((plan) => plan.id).join(' -> ')}`);
}

/** The pipelines of a circle, its first again at the end. */
function findCycle(plans: readonly PipelinePlan[], connectors: ConfiguredMap<unknown>): PipelinePlan[] | undefined {
  const done = new Set<PipelinePlan>();
  const way: PipelinePlan[] = [];
  const visit = (plan: PipelinePlan): PipelinePlan[] | undefined => {
    if (way.includes(plan)) return [...way.slice(way.indexOf(plan)), plan];
    if (done.has(plan)) return undefined;
    way.push(plan);
    for (const id of plan.exporters) {
      const routes = connectors.get(id)?.component.routes[plan.signal];
      if (routes === undefined) continue;
      for (const next of plans) {
        if (!next.receivers.includes(id) || !routes.includes(next.signal)) continue;
        const found = visit(next);
        if (found !== undefined) return found;
      }
    }
    way.pop();
    done.add(plan);
    return undefined;
  };
  for (const plan of plans) {
    const found = visit(plan);
    if (found !== undefined) return found;
  }
  return undefined;
}

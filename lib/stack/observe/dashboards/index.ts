import type { ObservedParts } from '../alerts';
import { jaegerDashboard, prometheusDashboard } from './backends';
import { agentDashboard, gatewayDashboard } from './collector';
import type { Dashboard } from './dashboard';
import { serviceDashboard } from './service';

export { Dashboard, type DashboardProps, type DashboardRow, type DashboardVariable } from './dashboard';
export { Panel, type PanelProps, type PanelQuery } from './panel';

/** One dashboard per part that is there. */
export function stackDashboards(parts: ObservedParts): Dashboard[] {
  const dashboards = [serviceDashboard(parts)];
  if (parts.agentJob !== undefined) {
    dashboards.push(agentDashboard(parts.agentJob));
  }
  if (parts.gatewayJob !== undefined) {
    dashboards.push(gatewayDashboard(parts.gatewayJob, parts.kubeStateMetricsJob !== undefined));
  }
  if (parts.jaegerJob !== undefined) {
    dashboards.push(jaegerDashboard(parts.jaegerJob));
  }
  dashboards.push(prometheusDashboard(parts.prometheusJob ?? 'prometheus', parts.alertmanagerJob));
  return dashboards;
}

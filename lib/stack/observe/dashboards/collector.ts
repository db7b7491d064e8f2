import { gatewayAutoscaler } from '../alerts/pods';
import { type Metric, Unit } from '../metric';
import { AgentMetrics, CollectorMetrics, KubernetesMetrics, type TelemetryItem } from '../metrics';
import { queueRatio, ratePerSignal } from '../queries';
import { Match, Window } from '../query';
import { Dashboard, type DashboardRow, type DashboardVariable } from './dashboard';
import { Panel, type PanelQuery } from './panel';

const RATE = Window.RATE_INTERVAL;
const OWN = CollectorMetrics.DEFAULT;
const POD = ['namespace', 'pod'];

/** The agents: sidecars of the services. */
export function agentDashboard(job: string): Dashboard {
  return new Dashboard({
    uid: 'otlp-agent',
    title: 'Agent',
    description: 'What the agents take, send, refuse and hold.',
    variables: variables(job),
    rows: [...rows(job), { title: 'Held and tried again', panels: agentPanels(job) }],
  });
}

function agentPanels(job: string): Panel[] {
  const match = chosen(job);
  return [
    new Panel({
      title: 'Held',
      description: 'Bytes of telemetry in the process, as the memory limiter counts them.',
      unit: Unit.BYTES,
      queries: [{ query: AgentMetrics.HELD_BYTES.where(...match).maxBy('pod'), by: ['pod'] }],
    }),
    new Panel({
      title: 'Tried again',
      description: 'Exports per second.',
      unit: Unit.NONE,
      queries: [
        {
          query: AgentMetrics.RETRIES.where(...match)
            .over(RATE)
            .rate()
            .sumBy('pod', 'exporter'),
          by: ['pod', 'exporter'],
        },
      ],
    }),
    new Panel({
      title: 'Given up after it was accepted',
      unit: Unit.ITEMS,
      queries: [signals((item) => AgentMetrics.evicted(item), job)],
    }),
  ];
}

/** The gateway, between the agents and the backends. */
export function gatewayDashboard(job: string, hasAutoscaler: boolean): Dashboard {
  const autoscaler = Match.matches('horizontalpodautoscaler', gatewayAutoscaler(job));
  const scaling = new Panel({
    title: 'Replicas',
    unit: Unit.NONE,
    queries: [
      { query: KubernetesMetrics.AUTOSCALER_WANTED.where(autoscaler).maxBy('namespace'), name: 'wanted', by: ['namespace'] },
      { query: KubernetesMetrics.AUTOSCALER_MAXIMUM.where(autoscaler).maxBy('namespace'), name: 'maximum', by: ['namespace'] },
    ],
  });
  return new Dashboard({
    uid: 'otlp-gateway',
    title: 'Gateway',
    description: 'What the gateway takes, sends to the backends and refuses.',
    variables: variables(job),
    rows: [
      ...rows(job),
      {
        title: 'Room',
        panels: [
          new Panel({
            title: 'Refused for memory',
            unit: Unit.ITEMS,
            queries: [signals((item) => OWN.memoryLimiterRefused(item), job)],
          }),
          ...(hasAutoscaler ? [scaling] : []),
        ],
      },
    ],
  });
}

function variables(job: string): DashboardVariable[] {
  const of = Match.equal('job', job);
  return [
    { label: 'namespace', title: 'Namespace', from: OWN.uptime.where(of) },
    { label: 'pod', title: 'Pod', from: OWN.uptime.where(of, Match.variable('namespace')) },
  ];
}

function chosen(job: string): Match[] {
  return [Match.equal('job', job), Match.variable('namespace'), Match.variable('pod')];
}

function signals(family: (item: TelemetryItem) => Metric, job: string, name?: string): PanelQuery {
  return { query: ratePerSignal(family, POD, RATE, ...chosen(job)), by: ['signal', 'pod'], name };
}

function rows(job: string): DashboardRow[] {
  const match = chosen(job);
  return [
    {
      title: 'In',
      panels: [
        new Panel({ title: 'Accepted', unit: Unit.ITEMS, queries: [signals((item) => OWN.accepted(item), job)] }),
        new Panel({
          title: 'Refused and failed',
          description: 'Refused: the sender was told and may try again. Failed: the receiver itself could not process it.',
          unit: Unit.ITEMS,
          queries: [signals((item) => OWN.refused(item), job, 'refused'), signals((item) => OWN.failed(item), job, 'failed')],
        }),
      ],
    },
    {
      title: 'Out',
      panels: [
        new Panel({
          title: 'Sent',
          unit: Unit.ITEMS,
          queries: [
            {
              query: ratePerSignal((item) => OWN.sent(item), [...POD, 'exporter'], RATE, ...match),
              by: ['signal', 'pod', 'exporter'],
            },
          ],
        }),
        new Panel({
          title: 'Given up',
          description: 'Not delivered after all tries, or not taken into the queue.',
          unit: Unit.ITEMS,
          queries: [signals((item) => OWN.sendFailed(item), job, 'not sent'), signals((item) => OWN.enqueueFailed(item), job, 'no room')],
        }),
        new Panel({
          title: 'Queue',
          description: 'Share of the sending queue that is taken.',
          unit: Unit.RATIO,
          max: 1,
          queries: [{ query: queueRatio(...match), by: ['pod', 'exporter', 'data_type'] }],
        }),
        new Panel({
          title: 'Exports in flight',
          unit: Unit.NONE,
          queries: [{ query: OWN.inFlight.where(...match).sumBy('pod', 'exporter'), by: ['pod', 'exporter'] }],
        }),
      ],
    },
    {
      title: 'Process',
      panels: [
        new Panel({
          title: 'Memory',
          description: 'Resident memory of the process.',
          unit: Unit.BYTES,
          queries: [{ query: OWN.memoryRss.where(...match).maxBy('pod'), by: ['pod'] }],
        }),
        new Panel({
          title: 'CPU',
          description: 'Cores in use.',
          unit: Unit.NONE,
          queries: [
            {
              query: OWN.cpuSeconds
                .where(...match)
                .over(RATE)
                .rate()
                .sumBy('pod'),
              by: ['pod'],
            },
          ],
        }),
      ],
    },
  ];
}

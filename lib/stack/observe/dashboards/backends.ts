import { type Metric, Unit } from '../metric';
import { AlertmanagerMetrics, CollectorMetrics, JaegerMetrics, PrometheusMetrics, TelemetryItem } from '../metrics';
import { Match, type Query, Window } from '../query';
import { Dashboard } from './dashboard';
import { Panel } from './panel';

const RATE = Window.RATE_INTERVAL;
const INSIDE = CollectorMetrics.JAEGER;

/** Jaeger: what it stores and how its storage answers. */
export function jaegerDashboard(job: string): Dashboard {
  const of = Match.equal('job', job);
  const accepted = INSIDE.accepted(TelemetryItem.SPANS).where(of).over(RATE).rate().sumBy('pod');
  const refused = INSIDE.refused(TelemetryItem.SPANS).where(of).over(RATE).rate().sumBy('pod');
  const stored = INSIDE.sent(TelemetryItem.SPANS).where(of).over(RATE).rate().sumBy('pod');
  const failed = INSIDE.sendFailed(TelemetryItem.SPANS).where(of).over(RATE).rate().sumBy('pod');
  return new Dashboard({
    uid: 'otlp-jaeger',
    title: 'Jaeger',
    description: 'Spans that Jaeger takes and stores, and how its storage answers.',
    rows: [
      {
        title: 'Spans',
        panels: [
          new Panel({
            title: 'Received',
            unit: Unit.SPANS,
            queries: [
              { query: accepted, name: 'accepted', by: ['pod'] },
              { query: refused, name: 'refused', by: ['pod'] },
            ],
          }),
          new Panel({
            title: 'Stored',
            unit: Unit.SPANS,
            queries: [
              { query: stored, name: 'stored', by: ['pod'] },
              { query: failed, name: 'failed', by: ['pod'] },
            ],
          }),
        ],
      },
      {
        title: 'Storage',
        panels: [
          new Panel({
            title: 'Queries to the storage',
            unit: Unit.REQUESTS,
            queries: [
              {
                query: JaegerMetrics.STORAGE_REQUESTS.where(of).over(RATE).rate().sumBy('operation', 'result'),
                by: ['operation', 'result'],
              },
            ],
          }),
          new Panel({
            title: 'Answers of the storage, p95',
            unit: Unit.SECONDS,
            queries: [
              {
                query: JaegerMetrics.STORAGE_LATENCY.bucket(of).over(RATE).rate().sumBy('operation', 'le').histogramQuantile(0.95),
                by: ['operation'],
              },
            ],
          }),
        ],
      },
      {
        title: 'Process',
        panels: [
          new Panel({ title: 'Memory', unit: Unit.BYTES, queries: [{ query: INSIDE.memoryRss.where(of).maxBy('pod'), by: ['pod'] }] }),
          new Panel({
            title: 'CPU',
            description: 'Cores in use.',
            unit: Unit.NONE,
            queries: [{ query: INSIDE.cpuSeconds.where(of).over(RATE).rate().sumBy('pod'), by: ['pod'] }],
          }),
        ],
      },
    ],
  });
}

/** Prometheus itself, and the way from a rule to a person. */
export function prometheusDashboard(job: string, alertmanagerJob: string | undefined): Dashboard {
  const of = Match.equal('job', job);
  const own = PrometheusMetrics;
  return new Dashboard({
    uid: 'otlp-prometheus',
    title: 'Prometheus',
    description: 'Targets, storage, rules and notifications.',
    rows: [
      {
        title: 'Scraping',
        panels: [
          new Panel({
            title: 'Targets up',
            unit: Unit.NONE,
            queries: [{ query: own.UP.where().sumBy('job'), by: ['job'] }],
          }),
          new Panel({
            title: 'Samples stored',
            description: 'Per second.',
            unit: Unit.NONE,
            queries: [{ query: own.SAMPLES_APPENDED.where(of).over(RATE).rate().sumBy('pod'), by: ['pod'] }],
          }),
        ],
      },
      {
        title: 'Storage',
        panels: [
          new Panel({
            title: 'Series in memory',
            unit: Unit.NONE,
            queries: [{ query: own.HEAD_SERIES.where(of).maxBy('pod'), by: ['pod'] }],
          }),
          new Panel({
            title: 'Blocks on disk',
            unit: Unit.BYTES,
            queries: [{ query: own.BLOCK_BYTES.where(of).maxBy('pod'), by: ['pod'] }],
          }),
          new Panel({ title: 'Memory', unit: Unit.BYTES, queries: [{ query: own.MEMORY.where(of).maxBy('pod'), by: ['pod'] }] }),
        ],
      },
      {
        title: 'Rules and notifications',
        panels: [
          new Panel({
            title: 'Evaluation of a group',
            unit: Unit.SECONDS,
            queries: [{ query: own.RULE_DURATION.where(of).maxBy('rule_group'), by: ['rule_group'] }],
          }),
          new Panel({
            title: 'Failed evaluations',
            unit: Unit.NONE,
            queries: [{ query: own.RULE_FAILURES.where(of).over(RATE).rate().sumBy('rule_group'), by: ['rule_group'] }],
          }),
          new Panel({
            title: 'Alerts to Alertmanager',
            unit: Unit.NONE,
            queries: [
              { query: own.NOTIFICATIONS_SENT.where(of).over(RATE).rate().sumBy('pod'), name: 'sent', by: ['pod'] },
              { query: own.NOTIFICATION_ERRORS.where(of).over(RATE).rate().sumBy('pod'), name: 'errors', by: ['pod'] },
            ],
          }),
          ...(alertmanagerJob === undefined ? [] : [notifications(Match.equal('job', alertmanagerJob))]),
        ],
      },
    ],
  });
}

function notifications(of: Match): Panel {
  const rate = (metric: Metric): Query => metric.where(of).over(RATE).rate().sumBy('integration');
  const by = ['integration'];
  return new Panel({
    title: 'Notifications to people',
    unit: Unit.NONE,
    queries: [
      { query: rate(AlertmanagerMetrics.NOTIFICATIONS), name: 'tried', by },
      { query: rate(AlertmanagerMetrics.NOTIFICATIONS_FAILED), name: 'failed', by },
    ],
  });
}

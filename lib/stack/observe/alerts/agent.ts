import { Duration } from 'cdk8s';
import { AgentMetrics } from '../metrics';
import { Match, type Query, Window } from '../query';
import { Alert } from './alert';
import { Segment, TestSeries } from './scenario';
import { Severity } from './severity';

/** A wrong file is reported once, when it changes: long enough for a person to see that it still is. */
const RELOAD_WINDOW = Window.of(Duration.hours(1));

const TARGET = { namespace: 'shop', pod: 'checkout-0', instance: '10.0.0.1:8888', container: 'otlp-agent' };
const FIRED = { namespace: TARGET.namespace, pod: TARGET.pod };

/** Alerts on what only our agent does: it takes configurations over while it runs, and watches the memory of its process. */
export function agentAlerts(job: string): Alert[] {
  return [configReloadFailed(job), memoryPressed(job)];
}

function configReloadFailed(job: string): Alert {
  const match = Match.equal('job', job);
  const reloads = (result: string): Query =>
    AgentMetrics.CONFIG_RELOADS.where(match, Match.equal('result', result)).over(RELOAD_WINDOW).increase().sumBy('namespace', 'pod');
  const series = (result: string, ...segments: Segment[]): TestSeries =>
    TestSeries.of(AgentMetrics.CONFIG_RELOADS, { ...TARGET, job, result }, ...segments);
  return new Alert({
    name: 'AgentConfigReloadFailed',
    severity: Severity.WARNING,
    expr: reloads('failure').above(0),
    holdFor: Duration.minutes(1),
    summary: 'The agent {{ $labels.namespace }}/{{ $labels.pod }} does not take its new configuration',
    description: 'In the last hour a changed configuration was refused; the agent runs on with the one before.',
    meaning: 'The file has changed, or SIGHUP came, and the new configuration is wrong or names an address that cannot be had.',
    impact: 'None at once: the old configuration goes on. A restart of the pod would find the wrong one and fail.',
    diagnosis: [
      { question: 'Which agents refuse?', query: reloads('failure') },
      { question: 'Which have taken one since?', query: reloads('success') },
      { question: 'When was the running one taken?', query: AgentMetrics.CONFIG_LOADED.where(match) },
    ],
    remedy: [
      'The log line `configuration not reloaded, the old one runs on` of the agent says what is wrong, with file, line and path; `otlp-agent validate` says the same.',
      'Correct the ConfigMap: the agent takes it by itself. The alert ends an hour after the last failure.',
    ],
    scenario: {
      failing: [series('failure', Segment.level(0, 10), Segment.level(1, 100)), series('success', Segment.level(1, 110))],
      firesAt: Duration.minutes(20),
      firing: [{ labels: FIRED }],
      resolvedAt: Duration.minutes(80),
      healthy: [series('failure', Segment.level(3, 110)), series('success', Segment.level(1, 10), Segment.grow(1, 100))],
    },
  });
}

function memoryPressed(job: string): Alert {
  const match = Match.equal('job', job);
  const pressed = AgentMetrics.MEMORY_PRESSED.where(match).maxBy('namespace', 'pod');
  const series = (...segments: Segment[]): TestSeries => TestSeries.of(AgentMetrics.MEMORY_PRESSED, { ...TARGET, job }, ...segments);
  return new Alert({
    name: 'AgentMemoryPressed',
    severity: Severity.WARNING,
    expr: pressed.equalTo(1),
    holdFor: Duration.minutes(5),
    summary: 'The agent {{ $labels.namespace }}/{{ $labels.pod }} is above its memory limit',
    description: 'For five minutes the process has been above its limit in spite of collections: new requests get a quarter of the room.',
    meaning: 'The process needs more than the memory limiter lets it have, beside the telemetry that it holds.',
    impact: 'Requests are refused earlier than the queues are full; senders retry.',
    diagnosis: [
      { question: 'Since when?', query: pressed },
      { question: 'How much telemetry does it hold?', query: AgentMetrics.HELD_BYTES.where(match) },
    ],
    remedy: [
      'Much held: the next hop is slow or away; see its alerts.',
      'Little held: the limit is too small for the process itself. Raise the memory limit of the container, and `limit_mib` with it.',
    ],
    scenario: {
      failing: [series(Segment.level(0, 5), Segment.level(1, 20), Segment.level(0, 20))],
      firesAt: Duration.minutes(15),
      firing: [{ labels: FIRED }],
      resolvedAt: Duration.minutes(30),
      healthy: [series(Segment.level(0, 10), Segment.level(1, 4), Segment.level(0, 30))],
    },
  });
}

import { Duration } from 'cdk8s';
import { describe, expect, it } from 'vitest';
import { AlertmanagerConfig } from '../../../../lib/stack/alertmanager/config';
import { AlertReceiver, Notification } from '../../../../lib/stack/alertmanager/receiver';
import { Route } from '../../../../lib/stack/alertmanager/route';
import { compact } from '../../../../lib/stack/model/yaml';
import { Match } from '../../../../lib/stack/observe/index';

const pager = AlertReceiver.of('pager', Notification.pagerDuty({ routingKeyFile: '/etc/alertmanager/secrets/pagerduty' }));
const chat = AlertReceiver.of('chat', Notification.slack({ channel: '#alerts', urlFile: '/etc/alertmanager/secrets/slack' }));

interface Printed {
  readonly route: { readonly receiver: string; readonly routes: { readonly receiver: string; readonly matchers: string[] }[] };
  readonly receivers: { readonly name: string; readonly [key: string]: unknown }[];
  readonly inhibit_rules: object[];
}

const print = (config: AlertmanagerConfig): Printed => compact(config.renderConfig()) as Printed;

describe('routing by severity', () => {
  const heartbeat = AlertReceiver.of(
    'heartbeat',
    Notification.webhookFromFile('/etc/alertmanager/secrets/heartbeat', { sendResolved: false }),
  );
  const { route, receivers, inhibit_rules } = print(AlertmanagerConfig.bySeverity({ critical: pager, warning: chat, heartbeat }));

  it('sends what is critical to the pager, warnings to the chat and the heartbeat its own way', () => {
    expect(route.receiver).toBe('pager');
    expect(route.routes.map(({ matchers, receiver }) => [matchers.join(), receiver])).toEqual([
      ['alertname="Watchdog"', 'heartbeat'],
      ['severity="critical"', 'pager'],
      ['severity="warning"', 'chat'],
      ['severity="info"', 'nobody'],
      ['severity="none"', 'nobody'],
    ]);
    expect(receivers.map(({ name }) => name)).toEqual(['pager', 'heartbeat', 'chat', 'nobody']);
  });

  it('lets the more urgent silence the less urgent', () => {
    expect(inhibit_rules[0]).toEqual({
      source_matchers: ['severity="critical"'],
      target_matchers: ['severity=~"warning|info"'],
      equal: ['alertname', 'namespace', 'job', 'pod'],
    });
    expect(inhibit_rules[1]).toMatchObject({ source_matchers: ['severity="warning"'], target_matchers: ['severity=~"info"'] });
  });

  it('repeats a page every hour and a warning twice a day, or as often as a drill wants', () => {
    expect(route.routes[1]).toMatchObject({ repeat_interval: '1h' });
    expect(route.routes[2]).toMatchObject({ repeat_interval: '12h' });
    const drill = AlertmanagerConfig.bySeverity({ critical: pager, groupWait: Duration.seconds(1), repeatInterval: Duration.seconds(5) });
    expect(print(drill).route.routes[1]).toMatchObject({ repeat_interval: '5s' });
    expect(print(drill).route).toMatchObject({ group_wait: '1s', group_interval: '5m' });
  });
});

describe('a receiver', () => {
  const receiver = (...notifications: Notification[]): object =>
    print(new AlertmanagerConfig({ route: new Route({ receiver: AlertReceiver.of('r', ...notifications) }) })).receivers[0] as object;

  it('is told by webhook, mail, Slack, PagerDuty and anything else, with secrets in files', () => {
    const all = receiver(
      Notification.webhook('http://hook.example.com/alerts', { maxAlerts: 10 }),
      Notification.email({
        to: ['a@example.com', 'b@example.com'],
        from: 'otlp@example.com',
        smarthost: 'mail.example.com:587',
        username: 'otlp',
        passwordFile: '/etc/alertmanager/secrets/smtp',
      }),
      Notification.slack({ channel: '#alerts', urlFile: '/etc/alertmanager/secrets/slack' }),
      Notification.pagerDuty({ routingKeyFile: '/etc/alertmanager/secrets/pagerduty', sendResolved: false }),
      Notification.custom('opsgenie_configs', { api_key_file: '/etc/alertmanager/secrets/opsgenie' }),
    );
    expect(all).toMatchObject({
      webhook_configs: [{ url: 'http://hook.example.com/alerts', send_resolved: true, max_alerts: 10 }],
      email_configs: [{ to: 'a@example.com, b@example.com', auth_password_file: '/etc/alertmanager/secrets/smtp', require_tls: true }],
      slack_configs: [{ api_url_file: '/etc/alertmanager/secrets/slack', channel: '#alerts' }],
      pagerduty_configs: [{ routing_key_file: '/etc/alertmanager/secrets/pagerduty', send_resolved: false }],
      opsgenie_configs: [{ api_key_file: '/etc/alertmanager/secrets/opsgenie' }],
    });
  });

  it('has several ways of one kind in one list', () => {
    expect(receiver(Notification.webhook('http://a.example.com'), Notification.webhook('http://b.example.com'))).toMatchObject({
      webhook_configs: [{ url: 'http://a.example.com' }, { url: 'http://b.example.com' }],
    });
  });

  it('fails on a secret that would be printed', () => {
    expect(() => Notification.webhook('https://hooks.example.com/services/T0AB12/B0/xyz')).toThrow('mount it as a file');
    expect(() => Notification.webhook('https://x.example.com/?token=abc')).toThrow('Notification.webhookFromFile()');
    expect(() => Notification.pagerDuty({ routingKeyFile: 'abcdef' })).toThrow("'routingKeyFile' must be an absolute path");
  });

  it('fails when nobody would be told, without naming a secret', () => {
    expect(() => AlertReceiver.of('r')).toThrow("receiver 'r' has no notification");
    expect(() => Notification.email({ to: [], from: 'x', smarthost: 'm:25' })).toThrow("'to' is empty");
    expect(() => Notification.email({ to: ['x'], from: 'x', smarthost: 'm' })).toThrow("'smarthost' must be host:port, got 'm'");
    expect(() => Notification.custom('opsgenie', {})).toThrow("must end in '_configs'");
    expect(() => Notification.webhook('hook.example.com')).toThrow('must begin with http:// or https://');
  });
});

describe('a configuration', () => {
  it('fails when its outermost route would not take every alert', () => {
    const route = new Route({ receiver: pager, matches: [Match.equal('severity', 'critical')] });
    expect(() => new AlertmanagerConfig({ route })).toThrow('the outermost route must take every alert');
  });

  it('fails on two different receivers of one name', () => {
    const twin = AlertReceiver.of('pager', Notification.webhook('http://x.example.com'));
    const route = new Route({ receiver: pager, routes: [new Route({ receiver: twin })] });
    expect(() => new AlertmanagerConfig({ route })).toThrow("two different receivers are called 'pager'");
  });

  it('takes overrides, deep', () => {
    const config = new AlertmanagerConfig({ route: new Route({ receiver: pager }), configOverrides: { global: { smtp_hello: 'x' } } });
    expect(config.renderConfig()).toMatchObject({ global: { resolve_timeout: '5m', smtp_hello: 'x' } });
  });
});

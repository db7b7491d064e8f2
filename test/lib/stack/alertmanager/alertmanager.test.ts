import { App, Chart } from 'cdk8s';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Alertmanager, type AlertmanagerProps } from '../../../../lib/stack/alertmanager/alertmanager';
import { AlertmanagerConfig } from '../../../../lib/stack/alertmanager/config';
import { AlertReceiver, Notification } from '../../../../lib/stack/alertmanager/receiver';
import { validateManifest } from '../../../support/kubernetes-schemas.ts';

// biome-ignore lint/suspicious/noExplicitAny: manifests are plain JSON, and tests reach deep into them
type Manifest = any;

function build(props: AlertmanagerProps = {}): { alertmanager: Alertmanager; find: (kind: string) => Manifest } {
  const chart = new Chart(new App(), 'test');
  const alertmanager = new Alertmanager(chart, 'Alertmanager', props);
  const objects = chart.toJson() as Manifest[];
  for (const object of objects) {
    expect(validateManifest(object)).toEqual([]);
  }
  return { alertmanager, find: (kind) => objects.find((one) => one.kind === kind) };
}

const containerOf = (built: ReturnType<typeof build>): Manifest => built.find('StatefulSet').spec.template.spec.containers[0];
const volumesOf = (built: ReturnType<typeof build>): Manifest[] => built.find('StatefulSet').spec.template.spec.volumes;

describe('Alertmanager', () => {
  it('tells a webhook whose URL is in a Secret, unless told otherwise', () => {
    const built = build();
    const config = parse(built.find('ConfigMap').data['alertmanager.yml']);
    expect(config.receivers[0]).toEqual({
      name: 'webhook',
      webhook_configs: [{ url_file: '/etc/alertmanager-secrets/webhook-url', send_resolved: true }],
    });
    expect(volumesOf(built)).toContainEqual({
      name: 'secrets',
      secret: { secretName: 'alertmanager-receivers', defaultMode: 0o440, items: [{ key: 'webhook-url', path: 'webhook-url' }] },
    });
    expect(JSON.stringify(built.find('NetworkPolicy').spec.egress)).toContain('443');
  });

  it('mounts exactly the keys that receivers read, and opens the way to them', () => {
    const critical = AlertReceiver.of(
      'pager',
      Notification.pagerDuty({ routingKeyFile: `${Alertmanager.SECRETS}/pagerduty` }),
      Notification.email({
        to: ['a@b.c'],
        from: 'd@b.c',
        smarthost: 'mail.example.com:587',
        username: 'd',
        passwordFile: `${Alertmanager.SECRETS}/smtp`,
      }),
    );
    const built = build({ config: AlertmanagerConfig.bySeverity({ critical }), secretName: 'mine' });
    const secrets = volumesOf(built).find(({ name }) => name === 'secrets');
    expect(secrets.secret.items.map(({ key }: Manifest) => key)).toEqual(['pagerduty', 'smtp']);
    const ports = built.find('NetworkPolicy').spec.egress.flatMap(({ ports }: Manifest) => ports.map(({ port }: Manifest) => port));
    expect(ports).toEqual([53, 53, 443, 587]);
  });

  it('runs alone without a cluster, or as several that know each other', () => {
    expect(containerOf(build()).args).toContain('--cluster.listen-address=');
    const built = build({ replicas: 2 });
    expect(built.alertmanager.addresses).toEqual([
      'alertmanager-0.alertmanager-headless.observability.svc.cluster.local:9093',
      'alertmanager-1.alertmanager-headless.observability.svc.cluster.local:9093',
    ]);
    expect(containerOf(built).args).toContain('--cluster.peer=alertmanager-1.alertmanager-headless.observability.svc.cluster.local:9094');
    const policy = JSON.stringify(built.find('NetworkPolicy').spec.ingress);
    expect(policy).toContain('{"port":9094,"protocol":"TCP"}');
    expect(policy).toContain('{"port":9094,"protocol":"UDP"}');
  });

  it('fails when a receiver reads a secret from elsewhere', () => {
    const critical = AlertReceiver.of('pager', Notification.pagerDuty({ routingKeyFile: '/tmp/key' }));
    expect(() => build({ config: AlertmanagerConfig.bySeverity({ critical }) })).toThrow(
      "test/Alertmanager: a receiver reads its secret from '/tmp/key', the Secret 'alertmanager-receivers' is mounted at '/etc/alertmanager-secrets'",
    );
  });
});

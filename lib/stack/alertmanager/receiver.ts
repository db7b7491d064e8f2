/** Options of every way to notify. */
export interface NotifyOptions {
  /** Tell when an alert is over, too. @default true */
  readonly sendResolved?: boolean;
}

export interface WebhookOptions extends NotifyOptions {
  /** At most this many alerts in one request; 0 for all. @default 0 */
  readonly maxAlerts?: number;
}

export interface EmailOptions extends NotifyOptions {
  readonly to: string[];
  readonly from: string;
  /** `host:port` of the mail server. */
  readonly smarthost: string;
  /** @default - no sign-in */
  readonly username?: string;
  /** The file that holds the password. @default - no sign-in */
  readonly passwordFile?: string;
  /** Refuse a server without STARTTLS. @default true */
  readonly requireTls?: boolean;
}

export interface SlackOptions extends NotifyOptions {
  /** As in `#alerts`. */
  readonly channel: string;
  /** The file that holds the URL of the incoming webhook: the URL is the secret. */
  readonly urlFile: string;
}

export interface PagerDutyOptions extends NotifyOptions {
  /** The file that holds the integration key (Events API v2). */
  readonly routingKeyFile: string;
}

const MARKED = /token=|key=|secret=|\/services\/T[A-Z0-9]+\//i;

/**
 * One way in which a receiver is told. Secrets are named by file and never printed.
 *
 * @see https://prometheus.io/docs/alerting/latest/configuration/#receiver-integration-settings
 */
export class Notification {
  /** A POST of the alerts as JSON. For an address that is itself a secret use {@link webhookFromFile}. */
  public static webhook(url: string, options: WebhookOptions = {}): Notification {
    if (!/^https?:\/\//.test(url)) {
      throw new Error(`webhook '${url}': the URL must begin with http:// or https://`);
    }
    if (MARKED.test(url)) {
      throw new Error('the URL of a webhook seems to hold a secret: mount it as a file and use Notification.webhookFromFile()');
    }
    return new Notification('webhook_configs', { url, ...webhook(options) }, addressOf(url));
  }

  /** The same, with the URL in a file. */
  public static webhookFromFile(urlFile: string, options: WebhookOptions = {}): Notification {
    return new Notification('webhook_configs', { url_file: absolute('urlFile', urlFile), ...webhook(options) }, '', [urlFile]);
  }

  public static email(options: EmailOptions): Notification {
    if (options.to.length === 0) {
      throw new Error("e-mail notification: 'to' is empty: name somebody");
    }
    if (!/:\d+$/.test(options.smarthost)) {
      throw new Error(`e-mail notification: 'smarthost' must be host:port, got '${options.smarthost}'`);
    }
    const passwordFile = options.passwordFile && absolute('passwordFile', options.passwordFile);
    const config = {
      to: options.to.join(', '),
      from: options.from,
      smarthost: options.smarthost,
      auth_username: options.username,
      auth_password_file: passwordFile,
      require_tls: options.requireTls ?? true,
      send_resolved: options.sendResolved ?? true,
    };
    return new Notification('email_configs', config, options.smarthost, passwordFile === undefined ? [] : [passwordFile]);
  }

  public static slack(options: SlackOptions): Notification {
    const config = {
      api_url_file: absolute('urlFile', options.urlFile),
      channel: options.channel,
      send_resolved: options.sendResolved ?? true,
      title: '[{{ .Status | toUpper }}{{ if eq .Status "firing" }}:{{ .Alerts.Firing | len }}{{ end }}] {{ .CommonLabels.alertname }}',
      text: '{{ range .Alerts }}{{ .Annotations.summary }}\n{{ .Annotations.description }}\n<{{ .Annotations.runbook_url }}|Runbook>\n{{ end }}',
    };
    return new Notification('slack_configs', config, 'hooks.slack.com:443', [options.urlFile]);
  }

  public static pagerDuty(options: PagerDutyOptions): Notification {
    const config = {
      routing_key_file: absolute('routingKeyFile', options.routingKeyFile),
      severity: '{{ if .CommonLabels.severity }}{{ .CommonLabels.severity }}{{ else }}error{{ end }}',
      description: '{{ .CommonAnnotations.summary }}',
      send_resolved: options.sendResolved ?? true,
    };
    return new Notification('pagerduty_configs', config, 'events.pagerduty.com:443', [options.routingKeyFile]);
  }

  /**
   * Any other integration.
   * @param key as in the configuration file: `opsgenie_configs`
   */
  public static custom(key: string, config: object): Notification {
    if (!/^[a-z0-9]+_configs$/.test(key)) {
      throw new Error(`notification '${key}': the key must end in '_configs', as in 'opsgenie_configs'`);
    }
    return new Notification(key, config);
  }

  private constructor(
    /** The list in the receiver that it stands in. */
    public readonly key: string,
    private readonly config: object,
    /** `host:port` that it connects to; empty where only the file knows. */
    public readonly address = '',
    private readonly files: string[] = [],
  ) {}

  /** The files that hold its secrets. */
  public get secretFiles(): string[] {
    return [...this.files];
  }

  /** @internal */
  public _render(): object {
    return this.config;
  }
}

/** Somebody, with all the ways to tell them. */
export class AlertReceiver {
  /** Alerts that are routed here are shown, and nobody is told. */
  public static readonly NOBODY = new AlertReceiver('nobody', []);

  public static of(name: string, ...notifications: Notification[]): AlertReceiver {
    if (notifications.length === 0) {
      throw new Error(`receiver '${name}' has no notification: add one, or use AlertReceiver.NOBODY`);
    }
    return new AlertReceiver(name, notifications);
  }

  private constructor(
    public readonly name: string,
    private readonly notifications: Notification[],
  ) {}

  /** All the ways to tell them. */
  public get ways(): Notification[] {
    return [...this.notifications];
  }

  /** @internal */
  public _render(): object {
    const lists: { [key: string]: object[] } = {};
    for (const notification of this.notifications) {
      lists[notification.key] = [...(lists[notification.key] ?? []), notification._render()];
    }
    return { name: this.name, ...lists };
  }
}

function webhook({ maxAlerts, sendResolved }: WebhookOptions): object {
  return { send_resolved: sendResolved ?? true, max_alerts: maxAlerts };
}

function absolute(key: string, path: string): string {
  if (!path.startsWith('/')) {
    throw new Error(`'${key}' must be an absolute path in the container, got '${path}'; a secret itself is never written here`);
  }
  return path;
}

function addressOf(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`;
}

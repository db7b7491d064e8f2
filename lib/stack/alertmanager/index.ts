export { Alertmanager, type AlertmanagerProps } from './alertmanager';
export { AlertmanagerConfig, type AlertmanagerConfigProps, type SeverityRouting } from './config';
export {
  AlertReceiver,
  type EmailOptions,
  Notification,
  type NotifyOptions,
  type PagerDutyOptions,
  type SlackOptions,
  type WebhookOptions,
} from './receiver';
export { Inhibition, type InhibitionProps, Route, type RouteProps } from './route';

export { Alertmanager, type AlertmanagerProps } from './alertmanager';
export { AlertmanagerConfig, type AlertmanagerConfigProps, type SeverityRouting } from './config';
export {
  type EmailOptions,
  Notification,
  type NotifyOptions,
  type PagerDutyOptions,
  Receiver,
  type SlackOptions,
  type WebhookOptions,
} from './receiver';
export { Inhibition, type InhibitionProps, Route, type RouteProps } from './route';

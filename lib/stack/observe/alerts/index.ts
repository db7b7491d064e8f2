export { Alert, type AlertProps, type AlertRendering, type Diagnosis } from './alert';
export type { AlertThresholds, ObservedParts, ObservedWorkload } from './parts';
export { type AlertScenario, type FiringAlert, Segment, TestSeries } from './scenario';
export { Severity } from './severity';
export { StackAlerts } from './stack-alerts';

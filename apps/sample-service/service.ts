/** The service put together: create() -> start() -> drain(). Signals, arguments and exit codes are main.ts's. */
import type { Settings } from './config/settings.ts';
import { createHttpServer, type HttpServer, type PlainReply } from './http/server.ts';
import { shopRoutes } from './shop/routes.ts';
import { createLog } from './telemetry/log.ts';
import { createServiceMetrics } from './telemetry/prometheus.ts';
import { startTelemetry, type Telemetry } from './telemetry/sdk.ts';
import { SpanLedger } from './telemetry/span-ledger.ts';

export interface Service {
  /** Resolves when requests are taken. Rejects with the error of listen(), for instance EADDRINUSE. */
  start(): Promise<void>;
  /** Readiness off, no new connections, requests under way finished, telemetry flushed; done by `settings.shutdownMs` at the latest. */
  drain(): Promise<void>;
}

/** Of the shutdown time, what requests under way may use; the rest is for the telemetry that they leave behind. */
const REQUESTS_SHARE = 0.5;

export function createService(settings: Settings, version: string): Service {
  const log = createLog(settings);
  const ledger = new SpanLedger();
  let state: 'starting' | 'ready' | 'draining' = 'starting';
  let server: HttpServer | undefined;
  let telemetry: Telemetry | undefined;
  let drained: Promise<void> | undefined;

  const health = (ok: () => boolean) => async (): Promise<PlainReply> => ({
    status: ok() ? 200 : 503,
    contentType: 'application/json; charset=utf-8',
    body: JSON.stringify({ status: state }),
  });

  const start = async (): Promise<void> => {
    // Before the routes: they take their tracer and meter from the global providers.
    telemetry = startTelemetry(settings, ledger, log);
    const metrics = createServiceMetrics(ledger);
    server = createHttpServer({
      routes: shopRoutes({ service: settings.service.name, version }),
      plain: {
        // Alive as long as it answers. Readiness does not look at the exporter: a service must not go down with its telemetry.
        '/health/live': health(() => true),
        '/health/ready': health(() => state === 'ready'),
        '/health/startup': health(() => state !== 'starting'),
        '/metrics': async () => ({ status: 200, ...(await metrics.expose()) }),
      },
      metrics,
      log,
    });
    const port = await server.listen(settings.port, settings.host);
    state = 'ready';
    for (const warning of settings.warnings) log.write('warn', warning);
    log.write('info', 'listening', {
      port,
      config: settings.configFile ?? 'defaults and environment, there is no file',
      traces: settings.traces?.url ?? 'off',
      metrics: settings.metrics?.url ?? 'off',
      logs: settings.logs?.url ?? 'off',
    });
  };

  const drain = async (): Promise<void> => {
    const deadline = performance.now() + settings.shutdownMs;
    state = 'draining';
    log.write('info', 'draining', { deadline: settings.shutdownMs / 1000 });
    // Requests first: their spans end with them. Then the SDK, which takes no spans once it is closing.
    const requests = await server?.drain(settings.shutdownMs * REQUESTS_SHARE);
    const spans = await telemetry?.shutdown(deadline - performance.now());
    const lost = (requests?.cut ?? 0) + (spans?.lostSpans ?? 0);
    log.writeLocally(lost > 0 ? 'error' : 'info', 'stopped', {
      cut_requests: requests?.cut ?? 0,
      lost_spans: spans?.lostSpans ?? 0,
      exported: ledger.exported,
      dropped: ledger.droppedTotal,
    });
  };

  return {
    start,
    drain: () => {
      drained ??= drain();
      return drained;
    },
  };
}

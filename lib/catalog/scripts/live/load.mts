import { realPath } from '../../../../test/real/support/components.ts';
import { startProcess } from '../../../../test/real/support/process.ts';

/** A pull reader on a port of its own, as the printed configurations have it. */
export function metricsReader(port: number, level: 'normal' | 'detailed' = 'normal'): object {
  return { metrics: { level, readers: [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port } } } }] } };
}

export interface Load {
  /** Items of each signal. @default 20 */
  readonly count?: number;
  /** How long the generator may retry what is refused. @default 20000 */
  readonly giveUpMs?: number;
}

/** Sends a few items of a signal with the upstream load generator. Losses are wanted in places, so how it ends is not looked at. */
export async function send(
  signal: 'traces' | 'metrics' | 'logs',
  port: number,
  load: Load & { readonly http?: boolean } = {},
): Promise<void> {
  const count = String(load.count ?? 20);
  const args = [signal, '--otlp-insecure', '--otlp-endpoint', `127.0.0.1:${port}`, '--rate', '0', `--${signal}`, count, '--workers', '1'];
  const generator = await startProcess({
    bin: realPath('telemetrygen'),
    args: [...args, '--service', 'checkout', ...(load.http ? ['--otlp-http'] : [])],
  });
  const deadline = setTimeout(() => void generator.stop(), load.giveUpMs ?? 20_000);
  await generator.exited;
  clearTimeout(deadline);
}

/** Sends all three signals over both transports. */
export async function sendAll(port: { readonly grpc: number; readonly http: number }, load: Load = {}): Promise<void> {
  for (const signal of ['traces', 'metrics', 'logs'] as const) {
    await send(signal, port.grpc, load);
    await send(signal, port.http, { ...load, http: true });
  }
}

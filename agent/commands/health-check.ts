import { request } from 'node:http';
import { load } from '../config/load.ts';
import type { SocketAddress } from '../config/settings.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { ConfigArguments, Io } from './io.ts';

export interface HealthCheckArguments extends ConfigArguments {
  /** Asked instead of the configuration's health_check. */
  readonly url?: string;
  readonly timeoutMs: number;
}

/** Where the extension listens by default. */
const DEFAULT_URL = 'http://localhost:13133/';

/** Asks a running agent whether it is ready; for HEALTHCHECK of an image, which has no curl. Exit code 0 or 1. */
export async function healthCheck(args: HealthCheckArguments, io: Io): Promise<ExitCode> {
  const target = args.url === undefined ? fromConfig(args, io) : { url: args.url };
  if (target === undefined) {
    io.err('no health_check extension is listed in service.extensions; add one or give --url [OTLP_UNHEALTHY]\n');
    return EXIT.FAILED;
  }
  try {
    const { status, body } = await ask(target, args.timeoutMs);
    if (status === 200) {
      io.out(`${target.url}: ready\n`);
      return EXIT.OK;
    }
    io.err(`${target.url}: ${status} ${body.trim()} [OTLP_UNHEALTHY]\n`);
  } catch (error) {
    io.err(
      `${target.url}: ${error instanceof Error ? error.message || String((error as NodeJS.ErrnoException).code) : String(error)} [OTLP_UNHEALTHY]\n`,
    );
  }
  return EXIT.FAILED;
}

interface Target {
  readonly url: string;
  readonly socketPath?: string;
}

function fromConfig(args: HealthCheckArguments, io: Io): Target | undefined {
  if (args.config.length === 0) return { url: DEFAULT_URL };
  const [first] = load({ configs: args.config, sets: args.set, environment: io.environment }).settings.extensions.filter(
    (one) => one.kind === 'health_check',
  );
  return first === undefined ? undefined : targetOf(first.address, first.path);
}

/** An address to listen on as one to ask: every address of the machine becomes the local one. */
function targetOf(address: SocketAddress, path: string): Target {
  if (address.kind === 'unix') return { url: `http://localhost${path}`, socketPath: address.path };
  const host = address.host === '' || address.host === '0.0.0.0' ? '127.0.0.1' : address.host === '::' ? '::1' : address.host;
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}${path}` };
}

function ask(target: Target, timeoutMs: number): Promise<{ readonly status: number; readonly body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const sent = request(
    target.url,
    { timeout: timeoutMs, agent: false, ...(target.socketPath === undefined ? {} : { socketPath: target.socketPath }) },
    (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    },
  );
  sent.on('timeout', () => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)));
  sent.on('error', reject);
  sent.end();
  return promise;
}

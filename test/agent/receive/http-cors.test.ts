import { afterEach, describe, expect, it } from 'vitest';
import type { CorsSettings } from '../../../agent/config/settings.ts';
import { finish, post, type Running, startAgent } from '../kit/agent.ts';
import { grpcExporter, PATHS } from '../kit/settings.ts';

/** The rules of rs/cors 1.11 as the Collector configures it, on the wire. */
let running: Running | undefined;
afterEach(async () => {
  if (running !== undefined) await finish(running, 50);
  running = undefined;
});

async function agentWith(cors: Partial<CorsSettings>): Promise<number> {
  const all: CorsSettings = { allowedOrigins: [], allowedHeaders: [], exposedHeaders: [], maxAgeSeconds: 0, ...cors };
  running = await startAgent({ exporters: [grpcExporter(1)], http: { cors: all } });
  return running.httpPort;
}

async function preflight(port: number, headers: Record<string, string>): Promise<Record<string, string>> {
  const response = await fetch(`http://127.0.0.1:${port}${PATHS.traces}`, {
    method: 'OPTIONS',
    headers: { 'access-control-request-method': 'POST', ...headers },
  });
  expect(response.status).toBe(204);
  return corsOf(response);
}

function corsOf(response: Response): Record<string, string> {
  return Object.fromEntries([...response.headers].filter(([name]) => name.startsWith('access-control-') || name === 'vary'));
}

const PREFLIGHT_VARY = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers';

describe('CORS', () => {
  it('a preflight of an allowed origin says what may be sent, with credentials', async () => {
    const port = await agentWith({ allowedOrigins: ['https://*.example.com'], allowedHeaders: ['X-Tenant'], maxAgeSeconds: 600 });
    expect(await preflight(port, { origin: 'https://App.Example.com', 'access-control-request-headers': 'x-tenant' })).toEqual({
      'access-control-allow-origin': 'https://App.Example.com',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'x-tenant',
      'access-control-allow-credentials': 'true',
      'access-control-max-age': '600',
      vary: PREFLIGHT_VARY,
    });
  });

  it.each([
    ['another origin', { origin: 'https://example.org' }],
    ['another method', { origin: 'https://a.test', 'access-control-request-method': 'DELETE' }],
    ['another header', { origin: 'https://a.test', 'access-control-request-headers': 'x-other' }],
    ['content-encoding, which must be listed', { origin: 'https://a.test', 'access-control-request-headers': 'content-encoding' }],
    ['no origin', {}],
  ])('fails a preflight with %s: 204 that allows nothing', async (_what, headers) => {
    const port = await agentWith({ allowedOrigins: ['https://a.test'] });
    expect(await preflight(port, headers)).toEqual({ vary: PREFLIGHT_VARY });
  });

  it('* is every origin by its own name', async () => {
    const port = await agentWith({ allowedOrigins: ['*'], allowedHeaders: ['*'] });
    expect(await preflight(port, { origin: 'null', 'access-control-request-headers': 'any,thing' })).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-headers': 'any,thing',
    });
  });

  it('the request itself, errors too, carries the headers that let the page read it', async () => {
    const port = await agentWith({ allowedOrigins: ['https://a.test'], exposedHeaders: ['x-answer', 'Retry-After'] });
    for (const [path, status] of [
      [PATHS.traces, 200],
      ['/nothing', 404],
    ] as const) {
      const response = await post(port, path, '', { origin: 'https://a.test' });
      expect(response.status).toBe(status);
      expect(corsOf(response)).toEqual({
        'access-control-allow-origin': 'https://a.test',
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers': 'X-Answer, Retry-After',
        vary: 'Origin',
      });
    }
    expect(corsOf(await post(port, PATHS.traces, '', { origin: 'https://b.test' }))).toEqual({ vary: 'Origin' });
  });

  it('without origins the section is off, and OPTIONS is a wrong method', async () => {
    const port = await agentWith({ allowedHeaders: ['x'] });
    const response = await fetch(`http://127.0.0.1:${port}${PATHS.traces}`, {
      method: 'OPTIONS',
      headers: { origin: 'https://a.test', 'access-control-request-method': 'POST' },
    });
    expect([response.status, corsOf(response)]).toEqual([405, {}]);
  });
});

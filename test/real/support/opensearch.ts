import { realPath } from './components.ts';
import { freePorts } from './ports.ts';
import { newFolder, type RunningProcess, startProcess } from './process.ts';

export interface OpenSearchServer extends AsyncDisposable {
  readonly process: RunningProcess;
  readonly port: number;
  readonly url: string;
  /** One request; an answer that is no success is an error with its body. */
  request(method: string, path: string, body?: object): Promise<unknown>;
  stop(): Promise<void>;
}

/** Starts a real OpenSearch 2.19 node on free ports of 127.0.0.1, without security, its data in a temporary folder. */
export async function startOpenSearch(): Promise<OpenSearchServer> {
  const port = await freePorts('http', 'transport');
  const folder = newFolder('opensearch');
  const process = await startProcess({
    bin: realPath('opensearch'),
    args: [String(port.http), String(port.transport), `${folder}/data`],
    cwd: folder,
    ready: { log: /^ready$/m },
    readyTimeoutMs: 150_000,
    stopTimeoutMs: 30_000,
  });
  const url = `http://127.0.0.1:${port.http}`;
  const request = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`OpenSearch answered ${response.status} to ${method} ${path}: ${text.slice(0, 500)}`);
    return (response.headers.get('content-type') ?? '').includes('json') ? JSON.parse(text) : text;
  };
  const stop = async (): Promise<void> => {
    await process.stop();
  };
  return { process, port: port.http, url, request, stop, [Symbol.asyncDispose]: stop };
}

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** A pod whose containers the kubelet reports. */
export interface ReportedPod {
  readonly namespace: string;
  readonly pod: string;
  readonly containers: readonly string[];
}

export interface KubeletStandIn extends AsyncDisposable {
  readonly port: number;
  /** Paths that were asked for. */
  readonly requests: readonly string[];
  stop(): Promise<void>;
}

const RECORDED = new URL('../data/kubelet-cadvisor.prom', import.meta.url);

/**
 * What `/metrics/cadvisor` of a kubelet says of the pods: the exposition that cAdvisor records in its own tests (the file names its
 * source), once for each container. No kubelet can run here, as it needs a container runtime.
 */
export function kubeletExposition(pods: readonly ReportedPod[]): string {
  const containers = pods.flatMap(({ namespace, pod, containers: names }) => names.map((container) => ({ namespace, pod, container })));
  return readFileSync(RECORDED, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      if (!line.includes('"NAMESPACE"')) return [line];
      return containers.map((one) =>
        line.replaceAll('CONTAINER', one.container).replaceAll('NAMESPACE', one.namespace).replaceAll('POD', one.pod),
      );
    })
    .concat('')
    .join('\n');
}

/** Serves that exposition at `/metrics/cadvisor` on a free port of 127.0.0.1, by HTTPS when a certificate is given. */
export async function startKubelet(
  pods: readonly ReportedPod[],
  tls?: { readonly cert: string; readonly key: string },
): Promise<KubeletStandIn> {
  const requests: string[] = [];
  const answer: RequestListener = (request, response) => {
    requests.push(request.url ?? '');
    if (request.url !== '/metrics/cadvisor') {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(kubeletExposition(pods));
  };
  const server = tls === undefined ? createHttpServer(answer) : createHttpsServer({ cert: tls.cert, key: tls.key }, answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port: (server.address() as AddressInfo).port, requests, stop, [Symbol.asyncDispose]: stop };
}

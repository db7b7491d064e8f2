import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { realPath } from './components.ts';
import { freePorts } from './ports.ts';
import { newFolder, type ProgramResult, type RunningProcess, runProgram, startProcess } from './process.ts';
import { waitFor } from './wait.ts';

export interface ApiServerOptions {
  /** kube-controller-manager and kube-scheduler too: Deployments become pods, Services get EndpointSlices, namespaces their ServiceAccount. @default false */
  readonly controllers?: boolean;
  /** kwok too: nodes made by `fakeNode` are Ready and the pods on them Running. @default false */
  readonly kwok?: boolean;
}

/** A Kubernetes object as plain data. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

/** A real API server (with etcd) on free ports of 127.0.0.1. The admin is `system:masters`; RBAC holds for everyone else. */
export class ApiServer {
  readonly port: number;
  readonly url: string;
  /** Path of the admin's kubeconfig. */
  readonly kubeconfig: string;
  readonly processes: readonly RunningProcess[];
  private readonly folder: string;

  constructor(folder: string, port: number, kubeconfig: string, processes: readonly RunningProcess[]) {
    this.folder = folder;
    this.port = port;
    this.url = `https://127.0.0.1:${port}`;
    this.kubeconfig = kubeconfig;
    this.processes = processes;
  }

  /** kubectl as the admin. A non-zero exit is a result. */
  async kubectl(args: readonly string[], input = ''): Promise<ProgramResult> {
    return await runProgram(realPath('kubectl'), [`--kubeconfig=${this.kubeconfig}`, ...args], { cwd: this.folder, input });
  }

  /** kubectl that must succeed; its output. */
  async ok(args: readonly string[], input = ''): Promise<string> {
    const { code, stdout, stderr } = await this.kubectl(args, input);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr}`);
    return stdout;
  }

  /** One object or list as data: `get('pods', '-n', 'observability')`. */
  async get(...args: string[]): Promise<KubernetesObject & { readonly items?: KubernetesObject[] }> {
    return JSON.parse(await this.ok(['get', ...args, '-o', 'json'])) as KubernetesObject & { items?: KubernetesObject[] };
  }

  /** Server-side apply of all objects in one go; a refused one is an error with the server's words. */
  async apply(objects: readonly object[]): Promise<string> {
    return await this.ok(['apply', '--server-side', '--force-conflicts', '-f', '-'], toYaml(objects));
  }

  /** Server-side dry run: what the server would answer to `apply`, errors included; nothing is stored. */
  async dryRun(objects: readonly object[]): Promise<ProgramResult> {
    return await this.kubectl(['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'], toYaml(objects));
  }

  /** Applies CRDs and waits until the server serves them. */
  async applyCrds(crds: readonly object[]): Promise<void> {
    await this.apply(crds);
    const names = crds.map((crd) => `crd/${(crd as KubernetesObject).metadata.name}`);
    await this.ok(['wait', '--for=condition=Established', '--timeout=150s', ...names]);
  }

  /** A ready node that no machine stands behind; its pods run at once. Needs the option `kwok`. */
  async fakeNode(name = 'fake-node', labels: { readonly [label: string]: string } = {}): Promise<void> {
    const capacity = { cpu: '64', memory: '256Gi', pods: '500', 'ephemeral-storage': '500Gi' };
    const node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name,
        labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...labels },
        annotations: { 'kwok.x-k8s.io/node': 'fake' },
      },
      status: { capacity, allocatable: capacity },
    };
    await this.apply([node]);
    await this.ok(['wait', '--for=condition=Ready', '--timeout=150s', `node/${name}`]);
  }

  /** A token of the ServiceAccount, as its pod would get it. */
  async token(namespace: string, serviceAccount: string): Promise<string> {
    return (await this.ok(['create', 'token', '-n', namespace, serviceAccount, '--duration=1h'])).trim();
  }

  /** Path of a kubeconfig that holds a ServiceAccount's token, so that a program has exactly that account's rights. */
  async kubeconfigOf(namespace: string, serviceAccount: string): Promise<string> {
    return writeKubeconfig(
      join(this.folder, `${namespace}-${serviceAccount}.kubeconfig`),
      this.url,
      await this.token(namespace, serviceAccount),
    );
  }

  /** The certificate that the server made for itself, for stand-ins that must speak TLS too. */
  certificate(): { readonly cert: string; readonly key: string } {
    const read = (file: string): string => readFileSync(join(this.folder, 'certs', file), 'utf8');
    return { cert: read('apiserver.crt'), key: read('apiserver.key') };
  }

  async stop(): Promise<void> {
    for (const each of [...this.processes].reverse()) await each.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Starts etcd and kube-apiserver, and with the options what makes pods live. Ready when `/readyz` says so. */
export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const port = await freePorts('etcd', 'etcdPeer', 'api', 'controllers', 'scheduler', 'kwok');
  const folder = newFolder('kubernetes');
  const processes: RunningProcess[] = [];

  const etcd = { client: `http://127.0.0.1:${port.etcd}`, peer: `http://127.0.0.1:${port.etcdPeer}` };
  processes.push(
    await startProcess({
      bin: realPath('etcd'),
      cwd: folder,
      args: [
        `--data-dir=${join(folder, 'etcd')}`,
        `--listen-client-urls=${etcd.client}`,
        `--advertise-client-urls=${etcd.client}`,
        `--listen-peer-urls=${etcd.peer}`,
        `--initial-advertise-peer-urls=${etcd.peer}`,
        `--initial-cluster=default=${etcd.peer}`,
        '--unsafe-no-fsync',
      ],
      ready: { url: `${etcd.client}/health` },
    }),
  );

  const key = join(folder, 'service-accounts.key');
  writeFileSync(key, generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }), {
    mode: 0o600,
  });
  const adminToken = randomBytes(16).toString('hex');
  const tokens = join(folder, 'tokens.csv');
  writeFileSync(tokens, `${adminToken},admin,admin,"system:masters"\n`, { mode: 0o600 });
  const url = `https://127.0.0.1:${port.api}`;
  const kubeconfig = writeKubeconfig(join(folder, 'admin.kubeconfig'), url, adminToken);
  const api = await startProcess({
    bin: realPath('kube-apiserver'),
    cwd: folder,
    args: [
      `--etcd-servers=${etcd.client}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${port.api}`,
      `--cert-dir=${join(folder, 'certs')}`,
      '--service-cluster-ip-range=10.0.0.0/24',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${key}`,
      `--service-account-signing-key-file=${key}`,
      `--token-auth-file=${tokens}`,
      '--authorization-mode=RBAC',
      '--allow-privileged=true',
      '--endpoint-reconciler-type=none',
    ],
    // A stopped API server drains its watches first.
    stopTimeoutMs: 15_000,
  });
  processes.push(api);
  const server = new ApiServer(folder, port.api, kubeconfig, processes);
  await waitFor(async () => (await server.kubectl(['get', '--raw', '/readyz'])).stdout === 'ok', {
    what: `kube-apiserver to be ready (log: ${api.logFile})`,
    timeoutMs: 150_000,
  });

  const asAdmin = [`--kubeconfig=${kubeconfig}`, `--authentication-kubeconfig=${kubeconfig}`, `--authorization-kubeconfig=${kubeconfig}`];
  if (options.controllers) {
    processes.push(
      await startProcess({
        bin: realPath('kube-controller-manager'),
        cwd: folder,
        args: [
          ...asAdmin,
          '--leader-elect=false',
          '--bind-address=127.0.0.1',
          `--secure-port=${port.controllers}`,
          `--service-account-private-key-file=${key}`,
          '--use-service-account-credentials=true',
        ],
        ready: { port: port.controllers },
      }),
      await startProcess({
        bin: realPath('kube-scheduler'),
        cwd: folder,
        args: [...asAdmin, '--leader-elect=false', '--bind-address=127.0.0.1', `--secure-port=${port.scheduler}`],
        ready: { port: port.scheduler },
      }),
    );
  }
  if (options.kwok) {
    const kwok = realPath('kwok');
    processes.push(
      await startProcess({
        bin: kwok,
        cwd: folder,
        args: [
          `--kubeconfig=${kubeconfig}`,
          `--config=${join(dirname(kwok), 'kwok-stages.yaml')}`,
          '--manage-all-nodes=false',
          '--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake',
          '--node-ip=127.0.0.1',
          `--server-address=127.0.0.1:${port.kwok}`,
        ],
        ready: { url: `http://127.0.0.1:${port.kwok}/healthz` },
      }),
    );
  }
  return server;
}

function writeKubeconfig(file: string, server: string, token: string): string {
  mkdirSync(dirname(file), { recursive: true });
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'real',
    clusters: [{ name: 'real', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'real', user: { token } }],
    contexts: [{ name: 'real', context: { cluster: 'real', user: 'real' } }],
  };
  writeFileSync(file, stringify(config), { mode: 0o600 });
  return file;
}

function toYaml(objects: readonly object[]): string {
  return objects.map((object) => `---\n${stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })}`).join('');
}

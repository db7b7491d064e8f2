import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { realBinary } from './binaries.ts';

const READY_WITHIN_MS = 90_000;
const ADMIN_TOKEN = 'devtoken';

/** What a kubectl run said. */
export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A real Kubernetes API server on a real etcd, on loopback, without nodes and controllers: it validates, defaults and judges (RBAC, Pod
 * Security) everything that is sent to it, and runs nothing.
 */
export class ApiServer {
  readonly url: string;
  /** A kubeconfig of a cluster administrator. */
  readonly kubeconfig: string;
  readonly folder: string;
  private readonly processes: readonly ChildProcess[];

  private constructor(url: string, kubeconfig: string, folder: string, processes: readonly ChildProcess[]) {
    this.url = url;
    this.kubeconfig = kubeconfig;
    this.folder = folder;
    this.processes = processes;
  }

  static async start(): Promise<ApiServer> {
    const [etcd, server] = [needBinary('etcd'), needBinary('kube-apiserver')];
    const folder = mkdtempSync(join(tmpdir(), 'otlp-stack-api-'));
    const [clients, peers, secure] = await freePorts(3);
    const store = `http://127.0.0.1:${clients}`;
    const peer = `http://127.0.0.1:${peers}`;
    const url = `https://127.0.0.1:${secure}`;

    const key = join(folder, 'sa.key');
    writeFileSync(key, generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }));
    writeFileSync(join(folder, 'tokens.csv'), `${ADMIN_TOKEN},admin,admin,"system:masters"\n`);
    const processes = [
      run(folder, 'etcd', etcd, [
        `--data-dir=${join(folder, 'etcd')}`,
        `--listen-client-urls=${store}`,
        `--advertise-client-urls=${store}`,
        `--listen-peer-urls=${peer}`,
        `--initial-advertise-peer-urls=${peer}`,
        `--initial-cluster=default=${peer}`,
        '--unsafe-no-fsync',
      ]),
      run(folder, 'kube-apiserver', server, [
        `--etcd-servers=${store}`,
        '--bind-address=127.0.0.1',
        '--advertise-address=127.0.0.1',
        `--secure-port=${secure}`,
        `--cert-dir=${join(folder, 'certs')}`,
        '--service-cluster-ip-range=10.0.0.0/24',
        '--service-account-issuer=https://kubernetes.default.svc',
        `--service-account-key-file=${key}`,
        `--service-account-signing-key-file=${key}`,
        `--token-auth-file=${join(folder, 'tokens.csv')}`,
        '--authorization-mode=RBAC',
        '--allow-privileged=true',
        '--endpoint-reconciler-type=none',
      ]),
    ];
    const started = new ApiServer(url, join(folder, 'admin.kubeconfig'), folder, processes);
    started.writeKubeconfig('admin', ADMIN_TOKEN);
    try {
      await started.ready();
    } catch (error) {
      await started.stop();
      throw error;
    }
    return started;
  }

  /** Writes a kubeconfig for whoever holds the token; returns its path. */
  writeKubeconfig(name: string, token: string): string {
    const path = join(this.folder, `${name}.kubeconfig`);
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'local', cluster: { server: this.url, 'insecure-skip-tls-verify': true } }],
      users: [{ name, user: { token } }],
      contexts: [{ name, context: { cluster: 'local', user: name } }],
      'current-context': name,
    };
    writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
    return path;
  }

  /** Runs kubectl as the administrator (or with another kubeconfig), `input` on its standard input. */
  kubectl(args: readonly string[], input?: string, kubeconfig = this.kubeconfig): Promise<KubectlResult> {
    return new Promise((resolve) => {
      const child = execFile(
        needBinary('kubectl'),
        [`--kubeconfig=${kubeconfig}`, ...args],
        // Its discovery cache must not outlive this server: the next one may have the same port and other CRDs.
        { maxBuffer: 64 << 20, env: { ...process.env, KUBECACHEDIR: join(this.folder, 'cache') } },
        (error, stdout, stderr) => resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr }),
      );
      child.stdin?.end(input ?? '');
    });
  }

  /** kubectl that has to succeed; its standard output. */
  async must(args: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await this.kubectl(args, input);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr}`);
    return stdout;
  }

  /** Ends both programs, the API server first, and removes what they wrote. */
  async stop(): Promise<void> {
    for (const child of [...this.processes].reverse()) {
      if (child.exitCode === null && child.signalCode === null && child.kill('SIGTERM')) await once(child, 'exit');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async ready(): Promise<void> {
    const end = Date.now() + READY_WITHIN_MS;
    while (Date.now() < end) {
      for (const child of this.processes) if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended:\n${this.log(child)}`);
      if ((await status(`${this.url}/readyz`)) === 200) return;
      await delay(100);
    }
    throw new Error(`the API server was not ready within ${READY_WITHIN_MS} ms:\n${this.processes.map((p) => this.log(p)).join('\n')}`);
  }

  private log(child: ChildProcess): string {
    const name = child.spawnfile.split('/').at(-1);
    return readFileSync(join(this.folder, `${name}.log`), 'utf8').slice(-4000);
  }
}

function needBinary(name: string): string {
  const path = realBinary(name);
  if (path === undefined) throw new Error(`${name} was not built: see test/real`);
  return path;
}

function run(folder: string, name: string, command: string, args: readonly string[]): ChildProcess {
  const log = createWriteStream(join(folder, `${name}.log`));
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  return child;
}

/** Ports that were free a moment ago: neither program can be asked which one it took of its own. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}

/** The status of a GET, or 0 where nobody answers. The server's certificate is one that it signed itself a second ago. */
function status(url: string): Promise<number> {
  return new Promise((resolve) => {
    const asked = request(url, { rejectUnauthorized: false, timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(0));
    asked.end();
  });
}

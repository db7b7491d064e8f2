/** The Job that installs policy, template, roles and users; its printed script is run by a real sh and a real curl. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Testing } from 'cdk8s';
import { ElasticsearchSetup, type ElasticsearchSetupProps, ExternalEndpoint, LogIndex, Protocol } from 'otlp-stack';
import { describe, expect, it } from 'vitest';
import type { Manifest } from '../support/manifests.ts';
import { synth } from '../support/manifests.ts';

const ACCOUNTS = [
  { name: 'jaeger', cluster: ['monitor'], indices: ['jaeger-*'], privileges: ['create_index', 'write'] },
  { name: 'log-writer', indices: ['otlp-rust'], privileges: ['create_doc'] },
];
/** What a Secret of somebody else may hold. */
const PASSWORDS = { ELASTIC_PASSWORD: 'super', PASSWORD_jaeger: 'plain', PASSWORD_log_writer: 'q"uo\\te$d %s `x`' };

function print(props: Partial<ElasticsearchSetupProps> = {}): Manifest[] {
  const chart = Testing.chart();
  new ElasticsearchSetup(chart, 'Setup', {
    endpoint: new ExternalEndpoint({ name: 'http', protocol: Protocol.HTTP, host: '10.1.2.3', port: 9200, cidr: '10.1.2.3/32' }),
    index: new LogIndex(),
    usersSecretName: 'elasticsearch-users',
    accounts: ACCOUNTS,
    ...props,
  });
  return synth(chart);
}
const one = (objects: Manifest[], kind: string): Manifest => {
  const found = objects.filter((object) => object.kind === kind);
  expect(found).toHaveLength(1);
  return found[0];
};

describe('the setup Job', () => {
  const objects = print();
  const job = one(objects, 'Job');
  const [container] = job.spec.template.spec.containers;

  it('runs once to its end, again on failure, with a name that changes with what it installs', () => {
    expect(job.spec.template.spec.restartPolicy).toBe('OnFailure');
    expect(job.metadata.name).toMatch(/^elasticsearch-setup-[0-9a-f]{8}$/);
    expect(one(print(), 'Job').metadata.name).toBe(job.metadata.name);
    expect(one(print({ index: new LogIndex({ shards: 1 }) }), 'Job').metadata.name).not.toBe(job.metadata.name);
    expect(one(print({ accounts: ACCOUNTS.slice(1) }), 'Job').metadata.name).not.toBe(job.metadata.name);
  });

  it('takes every password from the Secret of users', () => {
    expect(container.env.filter(({ valueFrom }: Manifest) => valueFrom)).toEqual(
      [
        ['ELASTIC_PASSWORD', 'elastic'],
        ['PASSWORD_jaeger', 'jaeger'],
        ['PASSWORD_log_writer', 'log-writer'],
      ].map(([name, key]) => ({ name, valueFrom: { secretKeyRef: { name: 'elasticsearch-users', key } } })),
    );
  });

  it('may reach Elasticsearch and nothing else', () => {
    const { ingress, egress } = one(objects, 'NetworkPolicy').spec;
    expect(ingress).toEqual([]);
    // The address needs no DNS.
    expect(egress).toEqual([{ to: [{ ipBlock: { cidr: '10.1.2.3/32' } }], ports: [{ port: 9200, protocol: 'TCP' }] }]);
  });
});

const CURL = spawnSync('curl', ['--fail-with-body', '--version']).status === 0;

describe.skipIf(!CURL)(`the printed script${CURL ? '' : ' [skipped, as there is no curl 7.76 or newer]'}`, () => {
  const { data } = one(print(), 'ConfigMap');

  it('puts policy, template, then each role with its user', async () => {
    const { code, requests } = await run(data);
    expect(code).toBe(0);
    expect(requests.map(({ path }) => path)).toEqual([
      'PUT /_ilm/policy/otlp-rust',
      'PUT /_index_template/otlp-rust',
      'PUT /_security/role/jaeger',
      'PUT /_security/user/jaeger',
      'PUT /_security/role/log-writer',
      'PUT /_security/user/log-writer',
    ]);
    expect(new Set(requests.map(({ authorization }) => authorization))).toEqual(
      new Set([`Basic ${Buffer.from('elastic:super').toString('base64')}`]),
    );
    const index = new LogIndex();
    expect(requests.slice(0, 2).map(({ body }) => body)).toEqual([index.policy(), index.template()]);
    expect(requests[2]?.body).toEqual({ cluster: ['monitor'], indices: [{ names: ['jaeger-*'], privileges: ['create_index', 'write'] }] });
    expect(requests[4]?.body).toEqual({ cluster: [], indices: [{ names: ['otlp-rust'], privileges: ['create_doc'] }] });
  });

  it('passes passwords on as they are, with quotes, backslashes and dollars', async () => {
    const { requests } = await run(data);
    expect(requests[3]?.body).toEqual({ password: PASSWORDS.PASSWORD_jaeger, roles: ['jaeger'] });
    expect(requests[5]?.body).toEqual({ password: PASSWORDS.PASSWORD_log_writer, roles: ['log-writer'] });
  });

  it('is the same when it runs a second time', async () => {
    const [first, second] = [await run(data), await run(data)];
    expect(second).toEqual(first);
  });

  it('tries again while Elasticsearch starts', async () => {
    const { code, requests } = await run(data, (count) => (count === 1 ? 503 : 200));
    expect(code).toBe(0);
    expect(requests[1]).toEqual(requests[0]);
    expect(requests).toHaveLength(7);
  });

  it('fails without a password, before it makes the user', async () => {
    const { code, requests, stderr } = await run(data, undefined, { ELASTIC_PASSWORD: 'super', PASSWORD_jaeger: 'plain' });
    expect(code).not.toBe(0);
    expect(stderr).toContain('PASSWORD_log_writer');
    expect(requests.map(({ path }) => path)).not.toContain('PUT /_security/user/log-writer');
  });
});

interface Run {
  readonly code: number;
  readonly stderr: string;
  readonly requests: { readonly path: string; readonly authorization: string | undefined; readonly body: unknown }[];
}

/** Runs setup.sh as the Job does, against a server that writes down what it is asked. */
async function run(files: Record<string, string>, answer: (count: number) => number = () => 200, env: object = PASSWORDS): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'otlp-stack-setup-'));
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
  const requests: Run['requests'] = [];
  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    void text(request).then((body) => {
      requests.push({ path: `${method} ${url}`, authorization: headers.authorization, body: JSON.parse(body) });
      response.writeHead(answer(requests.length), { 'content-type': 'application/json' }).end('{"acknowledged":true}');
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const child = spawn('sh', [join(folder, 'setup.sh')], {
      env: { PATH: process.env.PATH, ...env, ELASTICSEARCH_URL: `http://127.0.0.1:${port}`, SETUP_DIRECTORY: folder },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    return { code, stderr, requests };
  } finally {
    server.close();
  }
}

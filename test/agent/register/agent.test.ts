import { afterEach, expect, it } from 'vitest';
import { type Agent, createAgent } from '../../../agent/index.ts';
import { assertBooksBalance, GrpcClient } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { agentSettings, grpcExporter } from '../kit/settings.ts';
import { ConsulServer } from '../resolve/consul-server.ts';
import { keptLog } from '../resolve/kit.ts';

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function agentAt(consul: ConsulServer): Promise<Agent> {
  const base = agentSettings({ exporters: [{ ...grpcExporter(1), kind: 'debug', verbosity: 'basic' }] });
  const agent = await createAgent(
    {
      ...base,
      extensions: [
        ...base.extensions,
        {
          kind: 'registration',
          id: 'registration',
          upstream: { host: '127.0.0.1', port: 4317, weight: 1 },
          instance: 'agent-1',
          ttlMs: 3_000,
          registry: {
            kind: 'consul',
            address: consul.url,
            datacenter: undefined,
            token: undefined,
            tokenFile: undefined,
            service: 'otlp',
            tags: [],
            deregisterAfterMs: 60_000,
          },
        },
      ],
    },
    { log: keptLog() },
  );
  closing.push(() => agent.close());
  return agent;
}

it('an agent is offered once it is ready, and withdrawn at the drain while it still takes requests', async () => {
  const consul = await ConsulServer.start();
  closing.push(() => consul.stop());
  const agent = await agentAt(consul);
  await agent.start();
  const passing = ({ path, body }: { readonly path: string; readonly body: string }): boolean =>
    path.startsWith('/v1/agent/') && body.includes('"Status":"passing"');
  await consul.untilAsked(passing);
  expect(await agent.metrics()).toMatch(/^otlp_agent_registration_up\{extension="registration"\} 1$/mu);

  // Consul answers the goodbye only after a request that came in meanwhile was answered.
  const address = agent.addresses['otlp/grpc'];
  const client = new GrpcClient(address?.kind === 'tcp' ? address.port : 0);
  let answered: Promise<unknown> | undefined;
  consul.hostile = (asked, response) => {
    if (!(asked.url ?? '').includes('/deregister/')) return void response.end();
    answered = client.export('traces', request('traces', 1)).finally(() => response.end());
  };
  await agent.drain(5_000);
  await expect(answered).resolves.toBeDefined();
  client.close();
  await agent.close();
  expect(assertBooksBalance(agent).total.accepted).toBe(1);
});

it('an agent whose registry is away starts, serves and drains as any other', async () => {
  const consul = await ConsulServer.start();
  const agent = await agentAt(consul);
  await consul.stop();
  await agent.start();
  expect(agent.ready).toBe(true);
  await agent.drain(5_000);
  expect(await agent.metrics()).toMatch(/^otlp_agent_registration_up\{extension="registration"\} 0$/mu);
  await agent.close();
});

/** What docs/explanation/discovery.md shows is accepted as it stands there. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { load } from '../../../agent/config/load.ts';
import { resolverField } from '../../../agent/resolve/config.ts';

const PAGE = readFileSync(new URL('../../../docs/explanation/discovery.md', import.meta.url), 'utf8');
const BLOCKS = [...PAGE.matchAll(/^```yaml\n(.*?)^```$/gmsu)].map(([, text = '']) => text);

const LINE = `
receivers: {otlp: {protocols: {grpc: {endpoint: 'localhost:0'}}}}
exporters: {debug: {}}
`;

it('shows each kind of resolver', () => {
  const kinds = BLOCKS.filter((text) => text.startsWith('resolver:')).flatMap((text) =>
    Object.keys((parse(text) as { resolver: object }).resolver),
  );
  expect(new Set(kinds)).toEqual(new Set(['static', 'dns', 'k8s', 'consul', 'etcd']));
});

it.each(BLOCKS.filter((text) => text.startsWith('resolver:')))('a resolver is read: %s', (text) => {
  expect(resolverField().safeParse((parse(text) as { resolver: object }).resolver).error).toBeUndefined();
});

it('the registrations are read', () => {
  const text = BLOCKS.find((block) => block.startsWith('extensions:')) ?? '';
  const { settings } = load({
    configs: [`yaml:${LINE}`, `yaml:${text}`, 'yaml:service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}'],
    environment: { POD_IP: '10.0.0.5', POD_NAME: 'gateway-0' },
  });
  expect(settings.extensions.map(({ id }) => id)).toEqual(['registration', 'registration/consul']);
});

import { describe, expect, it } from 'vitest';
import { isIp, isLoopback, parseAddress, serviceName, urlsIn } from '../../../../lib/check/wiring/address';

const known = { isNamespace: (name: string) => name === 'shop' || name === 'observability', isService: (name: string) => name === 'nodes' };
const nameOf = (text: string) => {
  const address = parseAddress(text);
  return address && serviceName(address, 'shop', known);
};

describe('parseAddress', () => {
  it.each([
    ['http://gateway:4318/v1/traces', 'http', 'gateway', 4318],
    ['https://gateway', 'https', 'gateway', 443],
    ['grpc://Gateway.shop', 'grpc', 'gateway.shop', undefined],
    ['dns:///gateway.shop.svc:4317', 'dns', 'gateway.shop.svc', 4317],
    ['http://user:secret@es:9200', 'http', 'es', 9200],
    ['gateway.shop.svc.cluster.local.:4317', undefined, 'gateway.shop.svc.cluster.local', 4317],
    ['localhost:8888', undefined, 'localhost', 8888],
    ['http://[::1]:8888', 'http', '::1', 8888],
    ['gateway', undefined, 'gateway', undefined],
  ])('reads %s', (text, scheme, host, port) => {
    expect(parseAddress(text)).toEqual({ text, scheme, host, port });
  });

  it.each(['', ':8080', '/etc/otelcol/config.yaml', 'file:///etc/passwd', 'two words:80', 's3://bucket', '${env:HOST}:4317'])(
    'finds no address in "%s"',
    (text) => {
      expect(parseAddress(text)).toBeUndefined();
    },
  );

  it('tells the pod itself and bare numbers', () => {
    expect(['localhost:1', '127.0.0.1:1', '[::1]:1', 'a:1'].map((text) => isLoopback(parseAddress(text) ?? expect.fail()))).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(['0.0.0.0:1', '10.1.2.3:1', 'a1.b:1'].map((text) => isIp(parseAddress(text) ?? expect.fail()))).toEqual([true, true, false]);
  });
});

describe('serviceName', () => {
  it.each([
    ['gateway:1', { service: 'gateway', namespace: 'shop' }],
    ['gateway.observability:1', { service: 'gateway', namespace: 'observability' }],
    ['gateway.other.svc:1', { service: 'gateway', namespace: 'other' }],
    ['gateway.other.svc.cluster.local:1', { service: 'gateway', namespace: 'other' }],
    ['es-0.nodes:1', { pod: 'es-0', service: 'nodes', namespace: 'shop' }],
    ['es-0.nodes.observability:1', { pod: 'es-0', service: 'nodes', namespace: 'observability' }],
    ['es-0.nodes.other.svc.cluster.local:1', { pod: 'es-0', service: 'nodes', namespace: 'other' }],
    ['example.com:1', undefined],
    ['api.eu.example.com:1', undefined],
  ])('takes %s as cluster DNS does', (text, expected) => {
    expect(nameOf(text)).toEqual(expected);
  });
});

describe('urlsIn', () => {
  it('finds the URLs of a script with their lines', () => {
    expect(urlsIn('set -e\ncurl "http://es:9200/_ilm" && curl http://kibana:5601; true\n')).toEqual([
      { url: 'http://es:9200/_ilm', line: 2 },
      { url: 'http://kibana:5601', line: 2 },
    ]);
  });
});

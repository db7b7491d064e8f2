import { describe, expect, it } from 'vitest';
import { parseProxy, proxyFromEnvironment } from '../../../agent/export/http-proxy.ts';

const PROXY = { HTTP_PROXY: 'http://proxy:3128' };
const uses = (url: string, noProxy = ''): boolean => proxyFromEnvironment(new URL(url), { ...PROXY, NO_PROXY: noProxy }) !== undefined;

describe('the proxy of the environment, by the rules of Go', () => {
  it('is HTTP_PROXY, in capitals first, for http:// alone', () => {
    expect(proxyFromEnvironment(new URL('http://gw/'), { HTTP_PROXY: 'http://a:1', http_proxy: 'http://b:1' })).toEqual({
      origin: 'http://a:1',
    });
    expect(proxyFromEnvironment(new URL('http://gw/'), { http_proxy: 'b:8080' })).toEqual({ origin: 'http://b:8080' });
    expect(proxyFromEnvironment(new URL('https://gw/'), PROXY)).toBeUndefined();
    expect(proxyFromEnvironment(new URL('http://gw/'), { HTTPS_PROXY: 'http://a:1' })).toBeUndefined();
  });

  it('never serves this machine', () => {
    for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '[::1]']) expect(uses(`http://${host}:4318/`)).toBe(false);
  });

  // The cases of golang.org/x/net/http/httpproxy's documentation and tests.
  it.each([
    ['*', 'http://any.example/', false],
    ['example.com', 'http://example.com/', false],
    ['example.com', 'http://deep.sub.example.com/', false],
    ['example.com', 'http://notexample.com/', true],
    ['.example.com', 'http://example.com/', true],
    ['.example.com', 'http://a.example.com/', false],
    ['*.example.com', 'http://a.example.com/', false],
    ['*.example.com', 'http://example.com/', true],
    ['example.com:4318', 'http://example.com:4318/', false],
    ['example.com:4318', 'http://example.com/', true],
    ['example.com:80', 'http://example.com/', false],
    ['EXAMPLE.com', 'http://Example.COM/', false],
    ['10.0.0.1', 'http://10.0.0.1/', false],
    ['10.0.0.1:81', 'http://10.0.0.1/', true],
    ['10.0.0.0/8', 'http://10.255.0.1/', false],
    ['10.0.0.0/8', 'http://11.0.0.1/', true],
    ['10.0.0.0/8', 'http://ten.example/', true],
    ['fd00::/8', 'http://[fd12::1]/', false],
    ['[fd12:0::1]:80', 'http://[fd12::1]/', false],
    ['0.1', 'http://10.0.0.1/', true],
    ['other.example , ,example.com', 'http://example.com/', false],
  ])('NO_PROXY=%s and %s: through the proxy is %s', (noProxy, url, through) => {
    expect(uses(url, noProxy)).toBe(through);
  });
});

describe('the URL of a proxy', () => {
  it('carries its user and password', () => {
    expect(parseProxy('http://user:p%40ss@proxy:3128')).toEqual({
      origin: 'http://proxy:3128',
      authorization: `Basic ${Buffer.from('user:p@ss').toString('base64')}`,
    });
  });

  it.each([
    ['https://proxy:3128', 'TLS is not supported yet'],
    ['socks5://proxy:1080', 'has the scheme socks5; only http proxies are supported'],
    ['http://', 'is no URL'],
    ['::::', 'is no URL'],
  ])('fails for %s', (text, message) => {
    expect(parseProxy(text)).toContain(message);
  });

  it('fails from the environment with the name of the variable', () => {
    expect(() => proxyFromEnvironment(new URL('http://gw/'), { HTTP_PROXY: 'socks5://x:1' })).toThrow(
      'the environment variable HTTP_PROXY has the scheme',
    );
  });
});

import { promises as dns } from 'node:dns';
import { readdirSync, readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import type { AnyValue } from '../../otlp/view/any-value.ts';
import { parseCpuInfo } from './cpu.ts';
import type { Detected } from './detected.ts';
import { osDescription } from './os-description.ts';

export const HOSTNAME_SOURCES = ['dns', 'os', 'cname', 'lookup'] as const;
export type HostnameSource = (typeof HOSTNAME_SOURCES)[number];

/** Attributes that this detector has; upstream's has os.version, os.name and os.build.id beside them. */
export const SYSTEM_ATTRIBUTES = [
  'host.name',
  'host.id',
  'host.arch',
  'host.ip',
  'host.mac',
  'host.interface',
  'host.cpu.vendor.id',
  'host.cpu.family',
  'host.cpu.model.id',
  'host.cpu.model.name',
  'host.cpu.stepping',
  'host.cpu.cache.l2.size',
  'os.type',
  'os.description',
] as const;
export type SystemAttribute = (typeof SYSTEM_ATTRIBUTES)[number];

export interface SystemDetectorSettings {
  /** Asked one after the other until one answers. */
  readonly hostnameSources: readonly HostnameSource[];
  readonly attributes: ReadonlySet<SystemAttribute>;
}

/** That of otelcol 0.160. */
const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.40.0';

/** Detector `system`. Rejects where no source has a host name; `warn` is told what could not be found beside it. */
export async function detectSystem(settings: SystemDetectorSettings, warn: (message: string) => void): Promise<Detected> {
  const name = await hostName(settings.hostnameSources);
  const attributes = new Map<string, AnyValue>();
  const add = (key: SystemAttribute, value: () => AnyValue): void => {
    const found = settings.attributes.has(key) ? value() : undefined;
    if (found !== undefined) attributes.set(key, found);
  };
  add('host.name', () => name);
  add('os.type', osType);
  add('host.id', () => hostId(warn));
  add('host.arch', hostArch);
  add('host.ip', () => interfaces().flatMap(({ up, loopback, addresses }) => (up && !loopback ? addresses : [])));
  add('host.mac', () => interfaces().flatMap(({ up, loopback, mac }) => (up && !loopback ? [mac.toUpperCase().replaceAll(':', '-')] : [])));
  add('host.interface', () => interfaces().map((each) => each.name));
  add('os.description', () => osDescription(readText('/etc/os-release') ?? readText('/usr/lib/os-release')));
  const wantsCpu = [...settings.attributes].some((key) => key.startsWith('host.cpu.'));
  const cpu = wantsCpu ? parseCpuInfo(readText('/proc/cpuinfo') ?? '') : undefined;
  if (wantsCpu && cpu === undefined) warn('host.cpu cannot be found: /proc/cpuinfo is not that of an x86 processor');
  add('host.cpu.vendor.id', () => cpu?.vendorId);
  add('host.cpu.family', () => cpu?.family);
  add('host.cpu.model.id', () => cpu?.modelId || undefined);
  add('host.cpu.model.name', () => cpu?.modelName);
  add('host.cpu.stepping', () => cpu && String(cpu.stepping));
  add('host.cpu.cache.l2.size', () => cpu && BigInt(cpu.cacheL2Size));
  return { attributes, schemaUrl: SCHEMA_URL };
}

async function hostName(sources: readonly HostnameSource[]): Promise<string> {
  const reasons: string[] = [];
  for (const source of sources) {
    try {
      return await SOURCES[source]();
    } catch (error) {
      reasons.push(`${source}: ${(error as Error).message}`);
    }
  }
  throw new Error(`no source has a host name (${reasons.join('; ')})`);
}

const SOURCES: Readonly<Record<HostnameSource, () => Promise<string>>> = {
  os: () => Promise.resolve(hostname()),
  dns: async () => fromHostsFile(hostname()) ?? (await canonicalName(hostname()).catch(() => reverseName(hostname()))),
  cname: () => canonicalName(hostname()),
  lookup: () => reverseName(hostname()),
};

/** The first name in the line of /etc/hosts that has this name (Showmax/go-fqdn upstream). */
export function fromHostsFile(host: string, text = readText('/etc/hosts') ?? ''): string | undefined {
  for (const line of text.split('\n')) {
    const [, canonical, ...aliases] = (line.split('#', 1)[0] as string).split(/[ \t\r]+/u).filter((word) => word !== '');
    if (canonical !== undefined && /^[a-zA-Z0-9.\-\u0080-\uffff]{1,254}$/u.test(canonical) && [canonical, ...aliases].includes(host))
      return canonical;
  }
  return undefined;
}

/** Where the chain of CNAMEs ends; the name itself where there is none and it has an address. */
async function canonicalName(host: string): Promise<string> {
  let name = host;
  for (let hops = 0; hops < 16; hops += 1) {
    const next: readonly string[] = await dns.resolveCname(name).catch(() => []);
    if (next[0] === undefined) break;
    name = next[0];
  }
  await dns.lookup(name);
  return name.replace(/\.+$/u, '');
}

async function reverseName(host: string): Promise<string> {
  const addresses = await dns.lookup(host, { all: true });
  for (const { address } of addresses) {
    const [name] = await dns.reverse(address).catch(() => []);
    if (name !== undefined) return name.replace(/\.+$/u, '');
  }
  throw new Error(`no address of ${host} has a name`);
}

const OS_TYPES: Readonly<Partial<Record<NodeJS.Platform, string>>> = { win32: 'windows', sunos: 'solaris' };

function osType(): string {
  return OS_TYPES[process.platform] ?? process.platform;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: 'x86', arm: 'arm32' };

function hostArch(): string {
  return ARCHITECTURES[process.arch] ?? process.arch;
}

/** Linux: machine-id, as the OpenTelemetry SDK of Go reads it. */
function hostId(warn: (message: string) => void): string | undefined {
  const id = (readText('/etc/machine-id') ?? readText('/var/lib/dbus/machine-id'))?.trim();
  if (id !== undefined && id !== '') return id;
  warn('host.id cannot be found: there is no /etc/machine-id');
  return undefined;
}

interface Interface {
  readonly name: string;
  readonly index: number;
  readonly up: boolean;
  readonly loopback: boolean;
  readonly mac: string;
  readonly addresses: readonly string[];
}

const IFF_UP = 1;
const IFF_LOOPBACK = 8;

/** All interfaces by index. Node lists only those that are up and have an address, so the kernel's folder is read where there is one. */
function interfaces(): Interface[] {
  const known = networkInterfaces();
  const names = new Set([...folders('/sys/class/net'), ...Object.keys(known)]);
  const list = [...names].map((name, i): Interface => {
    const read = (file: string): string | undefined => readText(`/sys/class/net/${name}/${file}`)?.trim();
    const addresses = known[name] ?? [];
    const flags = read('flags');
    const mac = read('address') ?? addresses[0]?.mac ?? '';
    return {
      name,
      index: Number(read('ifindex') ?? i),
      up: flags === undefined ? addresses.length > 0 : (Number(flags) & IFF_UP) !== 0,
      loopback: flags === undefined ? addresses.some(({ internal }) => internal) : (Number(flags) & IFF_LOOPBACK) !== 0,
      mac: /^(?:00:?)*$/u.test(mac) ? '' : mac,
      addresses: addresses.filter(({ internal }) => !internal).map(({ address }) => address),
    };
  });
  return list.sort((a, b) => a.index - b.index);
}

function folders(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

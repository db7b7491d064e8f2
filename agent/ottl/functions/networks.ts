import { isIPv4, isIPv6 } from 'node:net';
import { Failure } from '../errors.ts';

/** An address as 128 bits. One of version 4 is the same as its form within version 6, ::ffff:1.2.3.4, as in Go's net.IP. */
export type Address = bigint;

/** A network that was read once. */
export interface Network {
  readonly base: Address;
  readonly mask: bigint;
}

/** net.ParseIP; undefined where that is nil. */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return (0xffffn << 32n) | version4(text);
  // Go takes no zone here: fe80::1%eth0 is no address.
  return isIPv6(text) && !text.includes('%') ? version6(text) : undefined;
}

/** net.ParseCIDR. */
export function parseNetwork(text: string): Network {
  const slash = text.indexOf('/');
  const address = parseAddress(text.slice(0, Math.max(slash, 0)));
  const digits = text.slice(slash + 1);
  const bits = isIPv4(text.slice(0, Math.max(slash, 0))) ? 32 : 128;
  if (address === undefined || !/^[0-9]+$/u.test(digits) || Number(digits) > bits)
    throw new Failure(`${JSON.stringify(text)} is no network, as 10.0.0.0/8`);
  const host = BigInt(bits - Number(digits));
  const mask = (ALL >> host) << host;
  return { base: address & mask, mask };
}

/** IPNet.Contains: a network of version 6 has no address of version 4, not even ::/0. */
export function isInNetwork(address: Address, { base, mask }: Network): boolean {
  return isVersion4(address) === isVersion4(base) && (address & mask) === base;
}

const ALL = (1n << 128n) - 1n;

function isVersion4(address: Address): boolean {
  return address >> 32n === 0xffffn;
}

function version4(text: string): bigint {
  return text.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

function version6(text: string): bigint {
  const dotted = /[0-9.]*\.[0-9.]*$/u.exec(text)?.[0];
  const low = dotted === undefined ? undefined : version4(dotted);
  const groups =
    low === undefined ? text : `${text.slice(0, -String(dotted).length)}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  const [head, tail] = groups.split('::').map((side) => (side === '' ? [] : side.split(':')));
  const front = head as string[];
  const back = tail ?? [];
  const all = [...front, ...Array.from({ length: 8 - front.length - back.length }, () => '0'), ...back];
  return all.reduce((sum, part) => (sum << 16n) | BigInt(`0x${part}`), 0n);
}

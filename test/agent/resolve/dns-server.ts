import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { createServer, type Server, type Socket as TcpSocket } from 'node:net';
import { ownPort } from '../kit/ports.ts';

/** What the server knows of one name. */
export interface Zone {
  readonly a?: readonly string[];
  readonly aaaa?: readonly string[];
  readonly srv?: readonly { readonly priority: number; readonly weight: number; readonly port: number; readonly target: string }[];
}

const TYPE_A = 1;
const TYPE_AAAA = 28;
const TYPE_SRV = 33;
const NO_ERROR = 0;
const SERVER_FAILURE = 2;
const NAME_ERROR = 3;
/** RFC 1035, 4.2.1: a longer answer is cut over UDP, and asked for again over TCP. */
const MAX_UDP_BYTES = 512;
const TRUNCATED = 0x0200;

/** A DNS server of a test: UDP and TCP on one port of 127.0.0.1, as much of RFC 1035 and 2782 as a resolver asks for. */
export class DnsServer {
  readonly zones = new Map<string, Zone>();
  /** SERVFAIL for these record types, as of a server whose own upstream is away. */
  readonly failing = new Set<number>();
  /** Says nothing at all. */
  silent = false;
  questions = 0;
  readonly #udp: Socket;
  readonly #tcp: Server;
  readonly #connections = new Set<TcpSocket>();

  private constructor(udp: Socket, tcp: Server) {
    this.#udp = udp;
    this.#tcp = tcp;
    udp.on('message', (query, from) => this.#answerUdp(query, from));
    tcp.on('connection', (socket) => {
      this.#connections.add(socket);
      socket.on('close', () => this.#connections.delete(socket)).on('error', () => {});
      let read = Buffer.alloc(0);
      socket.on('data', (chunk) => {
        read = Buffer.concat([read, chunk]);
        if (read.length < 2 || read.length < 2 + read.readUInt16BE(0)) return;
        const answer = this.#answer(read.subarray(2, 2 + read.readUInt16BE(0)));
        const length = Buffer.alloc(2);
        length.writeUInt16BE(answer.length);
        socket.end(Buffer.concat([length, answer]));
      });
    });
  }

  static async start(port?: number): Promise<DnsServer> {
    const at = port ?? (await ownPort());
    const tcp = createServer();
    await new Promise<void>((resolve, reject) => {
      tcp.once('error', reject).listen(at, '127.0.0.1', resolve);
    });
    const udp = createSocket('udp4');
    await new Promise<void>((resolve, reject) => {
      udp.once('error', reject).bind(at, '127.0.0.1', resolve);
    });
    return new DnsServer(udp, tcp);
  }

  get port(): number {
    return this.#udp.address().port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    await new Promise<void>((resolve) => this.#udp.close(() => resolve()));
    await new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
  }

  #answerUdp(query: Buffer, from: RemoteInfo): void {
    this.questions += 1;
    if (this.silent) return;
    const whole = this.#answer(query);
    if (whole.length <= MAX_UDP_BYTES) {
      this.#udp.send(whole, from.port, from.address);
      return;
    }
    const cut = Buffer.from(whole.subarray(0, endOfQuestion(query)));
    cut.writeUInt16BE(cut.readUInt16BE(2) | TRUNCATED, 2);
    cut.writeUInt16BE(0, 6);
    this.#udp.send(cut, from.port, from.address);
  }

  #answer(query: Buffer): Buffer {
    const end = endOfQuestion(query);
    const type = query.readUInt16BE(end - 4);
    const zone = this.zones.get(readName(query, 12).toLowerCase());
    const records = zone === undefined || this.failing.has(type) ? [] : recordsOf(zone, type);
    const code = this.failing.has(type) ? SERVER_FAILURE : zone === undefined ? NAME_ERROR : NO_ERROR;
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8580 | code, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    return Buffer.concat([header, query.subarray(12, end), ...records.map((data) => record(type, data))]);
  }
}

function endOfQuestion(query: Buffer): number {
  let at = 12;
  while ((query[at] ?? 0) !== 0) at += (query[at] ?? 0) + 1;
  return at + 5;
}

function readName(query: Buffer, from: number): string {
  const labels: string[] = [];
  for (let at = from; (query[at] ?? 0) !== 0; at += (query[at] ?? 0) + 1) {
    labels.push(query.subarray(at + 1, at + 1 + (query[at] ?? 0)).toString('latin1'));
  }
  return labels.join('.');
}

function recordsOf(zone: Zone, type: number): Buffer[] {
  if (type === TYPE_A) return (zone.a ?? []).map((address) => Buffer.from(address.split('.').map(Number)));
  if (type === TYPE_AAAA) return (zone.aaaa ?? []).map(sixteenBytes);
  if (type === TYPE_SRV) {
    return (zone.srv ?? []).map(({ priority, weight, port, target }) => {
      const numbers = Buffer.alloc(6);
      numbers.writeUInt16BE(priority, 0);
      numbers.writeUInt16BE(weight, 2);
      numbers.writeUInt16BE(port, 4);
      return Buffer.concat([numbers, name(target)]);
    });
  }
  return [];
}

/** Eight groups in full; tests write them so. */
function sixteenBytes(address: string): Buffer {
  return Buffer.concat(address.split(':').map((group) => Buffer.from(group.padStart(4, '0'), 'hex')));
}

function name(text: string): Buffer {
  const labels = text === '.' ? [] : text.split('.');
  return Buffer.concat([...labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]), Buffer.from([0])]);
}

/** Name (a pointer to the question), type, class IN, TTL 0, data. */
function record(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

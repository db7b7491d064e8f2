import { promisify } from 'node:util';
import { constants as zlib, zstdCompress } from 'node:zlib';
import type { Signal } from '../config/settings.ts';
import { encodeJson } from '../otlp/json/json.ts';
import { GrpcStatus } from '../runtime/grpc-status.ts';
import { OK, type Outcome } from '../runtime/outcome.ts';
import type { Log } from '../telemetry/log.ts';
import type { FileExporterSettings } from './file-config.ts';
import { OutputFile } from './output-file.ts';
import type { Encoded, Transport } from './transport.ts';

/** As upstream: readable by all, or by the group where the file is rotated (timberjack). */
const FILE_MODE = { plain: 0o644, rotated: 0o640 } as const;

const NEWLINE = Buffer.from('\n');

const zstdAsync = promisify(zstdCompress);

/** A record that cannot be made, with the reason; the request is refused for good. */
interface Unwritable extends Encoded {
  readonly problem: string;
}

/**
 * Exporter `file`: one record for each request, in one write.
 * In:       merged requests. Out: OTLP/JSON lines, or records behind four bytes of length (proto, or compressed).
 * May drop: nothing but what is no OTLP inside and has to become JSON; a full disk is `retry`, for the sender.
 * Counters: otelcol_exporter_{sent,send_failed}_*.
 * Decodes:  format json. Protobuf is written as it came.
 * Bench:    test/bench/agent-components
 */
export class FileTransport implements Transport {
  readonly labels = {};
  readonly #settings: FileExporterSettings;
  readonly #file: OutputFile;
  #closed = false;

  private constructor(settings: FileExporterSettings, file: OutputFile) {
    this.#settings = settings;
    this.#file = file;
  }

  /** All signals of an exporter write into the same file. Rejects where it cannot be opened. */
  static async open(settings: FileExporterSettings, log: Log): Promise<FileTransport> {
    const file = await OutputFile.open(settings.path, {
      key: `exporters.${settings.id}.path`,
      truncate: !settings.append && settings.rotation === undefined,
      directoryMode: settings.directoryMode,
      fileMode: settings.rotation === undefined ? FILE_MODE.plain : FILE_MODE.rotated,
      warn: (event, fields) => log.warn(event, { exporter: settings.id, ...fields }),
    });
    return new FileTransport(settings, file);
  }

  encode(signal: Signal, slices: readonly Uint8Array[], bytes: number, items: number): Encoded | Promise<Encoded> {
    const { format, zstdLevel } = this.#settings;
    let body = slices;
    if (format === 'json') {
      const result = encodeJson(signal, slices);
      if (!result.ok) {
        const unwritable: Unwritable = { signal, slices: [], bytes: 0, items, encoding: 'identity', problem: result.reason };
        return unwritable;
      }
      body = [result.json];
    }
    if (zstdLevel !== undefined) return this.#compressed(signal, body, items, zstdLevel);
    const record = format === 'json' ? [...body, NEWLINE] : framed(body, bytes);
    return { signal, slices: record, bytes: lengthOf(record), items, encoding: 'identity' };
  }

  async send(body: Encoded): Promise<Outcome> {
    if ('problem' in body)
      return { kind: 'reject', code: GrpcStatus.INVALID_ARGUMENT, message: `cannot be written as JSON: ${(body as Unwritable).problem}` };
    if (this.#closed)
      return { kind: 'retry', afterMs: undefined, code: GrpcStatus.UNAVAILABLE, message: `${this.#settings.path} is closed` };
    try {
      await this.#file.write(body.slices, body.bytes, this.#settings.rotation);
      return OK;
    } catch (error) {
      const message = `${this.#settings.path} cannot be written: ${(error as Error).message}`;
      return { kind: 'retry', afterMs: undefined, code: GrpcStatus.UNAVAILABLE, message };
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#file.close();
  }

  async #compressed(signal: Signal, body: readonly Uint8Array[], items: number, level: number): Promise<Encoded> {
    const whole = body.length === 1 ? (body[0] as Uint8Array) : Buffer.concat(body);
    const params = { [zlib.ZSTD_c_compressionLevel]: level === 0 ? DEFAULT_ZSTD_LEVEL : Math.min(level, MAX_ZSTD_LEVEL) };
    // The size lets zstd take no more memory than the record needs, and stands in the frame for its reader.
    const out = await zstdAsync(whole, { params, pledgedSrcSize: whole.length });
    const record = framed([out], out.length);
    return { signal, slices: record, bytes: lengthOf(record), items, encoding: 'zstd' };
  }
}

/** Half the CPU of level 3, a tenth larger; as the OTLP exporters have it. */
const DEFAULT_ZSTD_LEVEL = 1;
const MAX_ZSTD_LEVEL = 22;

/** Four bytes of length, the highest first. */
function framed(body: readonly Uint8Array[], bytes: number): Uint8Array[] {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes);
  return [length, ...body];
}

function lengthOf(slices: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const slice of slices) bytes += slice.length;
  return bytes;
}

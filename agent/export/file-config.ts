import * as z from 'zod/mini';
import { component } from '../config/component.ts';
import { docOf, documentSchema } from '../config/field-doc.ts';
import { asValue, bool, choice, decoder, duration, type Field, integer, text, unsupported } from '../config/fields.ts';
import { LONGEST_TIMER_MS } from '../config/go-duration.ts';
import type { Output } from '../config/section.ts';
import { kept, section } from '../config/section.ts';
import type { ExporterCommon } from '../config/settings.ts';
import { SIGNALS } from '../config/settings.ts';
import { queueSettings } from '../queue/config.ts';
import { NO_RETRY } from './retry-config.ts';

/** Settings of the exporter `file`. */
export interface FileExporterSettings extends ExporterCommon {
  readonly kind: 'file';
  readonly path: string;
  /** Without it, and without rotation, the file is emptied at start. @default false */
  readonly append: boolean;
  /** @default json */
  readonly format: 'json' | 'proto';
  /** Each record is compressed and stands behind its length. */
  readonly zstdLevel?: number;
  readonly rotation?: FileRotationSettings;
  /** The folder is made at start, with this mode. */
  readonly directoryMode?: number;
}

export interface FileRotationSettings {
  /** @default 104 857 600 (100 MiB) */
  readonly maxBytes: number;
  /** Files that were rotated longer ago go; 0 keeps them. @default 0 */
  readonly maxDays: number;
  /** Rotated files that are kept; 0 keeps all. @default 100 */
  readonly maxBackups: number;
  /** Names of rotated files in local time instead of UTC. @default false */
  readonly localTime: boolean;
}

const MIB = 1024 * 1024;
/** timberjack upstream. */
const DEFAULT_MAX_MEGABYTES = 100;

const rotationShape = {
  max_megabytes: integer({ describe: 'MiB from which the file is rotated; 0 is 100.', default: 0, shows: '100' }),
  max_days: integer({ describe: 'Days after which rotated files are removed; 0 is never.', default: 0 }),
  max_backups: integer({ describe: 'Rotated files that are kept; 0 keeps all.', default: 100 }),
  localtime: bool({ describe: 'Names rotated files in local time instead of UTC.', default: false }),
};

const shape = {
  path: text({ describe: 'The file; relative to the working directory.', default: '' }),
  append: bool({
    describe: 'Writes behind what is in the file instead of emptying it at start. Not together with rotation.',
    default: false,
  }),
  rotation: wherePresent(
    section(rotationShape, {
      describe: 'Renames the file when it is full, to <name>-<time>-size<extension>, and begins a new one; no record is cut or lost.',
    }),
  ),
  format: choice(['json', 'proto'], {
    describe: 'json: one OTLP/JSON request a line. proto: requests, each behind 4 bytes of length.',
    default: 'json',
  }),
  encoding: unsupported('Extension that encodes.', 'this agent has no encoding extensions; remove the key and write format'),
  compression: choice(['zstd', ''], {
    describe: 'Compresses each record; also json then stands behind 4 bytes of length.',
    default: '',
    shows: 'none',
  }),
  compression_params: section(
    { level: integer({ describe: 'Level of zstd, 1 to 22; 0 is 1.', default: 0 }) },
    { describe: 'How hard to compress.' },
  ),
  flush_interval: duration({
    describe: 'Time between two writes of what is buffered.',
    default: 1000,
    shows: '1s',
    inert: 'nothing is buffered: a sender gets its answer when its record is written',
  }),
  group_by: section(
    {
      enabled: bool({ describe: 'One file for each value of a resource attribute. Not supported yet.', default: false }),
      resource_attribute: text({ describe: 'The attribute.', default: 'fileexporter.path_segment' }),
      max_open_files: integer({ describe: 'Open files at most.', default: 100 }),
    },
    { describe: 'One file for each value of a resource attribute. Not supported yet.', inert: 'group_by is not supported yet' },
  ),
  create_directory: bool({ describe: 'Makes the folder of the file at start; with rotation it is made anyway.', default: false }),
  directory_permissions: text({ describe: 'Mode of the folder, octal, as text. Only with create_directory.', default: '', shows: '0755' }),
};

type Config = Output<typeof shape>;

/** Exporter `file`; keys and rules are those of fileexporter 0.155. */
export const fileExporter = component<Config, FileExporterSettings>({
  type: 'file',
  signals: SIGNALS,
  describe:
    'Writes requests into a file: OTLP/JSON lines, or protobuf behind its length. The sender gets its answer when the record is written; a full disk is told to it, and no part of a record stays. format proto decodes nothing, json decodes.',
  config: section(shape, {
    describe: 'Writes requests into a file.',
    check: (config, report) => {
      if (config.path === '') report('path', 'is missing', 'OTLP_CONFIG_MISSING');
      if (config.append && config.rotation !== undefined) report('append', 'and rotation exclude each other');
      if (config.flush_interval < 0) report('flush_interval', 'must not be negative');
      const { group_by: group } = config;
      if (group.enabled && (config.path.split('*').length !== 2 || config.path.startsWith('*')))
        report('path', 'must contain one *, not at its start, where group_by is enabled');
      if (group.enabled && group.resource_attribute === '') report('group_by', 'needs a resource_attribute');
      const { directory_permissions: mode } = config;
      if (mode !== '' && !config.create_directory) report('directory_permissions', 'is only used where create_directory is true');
      else if (mode !== '' && octal(mode) === undefined) report('directory_permissions', `("${mode}") must be an octal mode, as "0755"`);
    },
  }),
  build: (config, context) => {
    if (config.group_by.enabled) {
      context.report(
        'OTLP_CONFIG_UNSUPPORTED',
        ['group_by', 'enabled'],
        'files by a resource attribute are not supported yet; remove group_by, or write one exporter for each file',
      );
    }
    const { rotation, compression_params: params } = config;
    return {
      kind: 'file',
      id: context.id,
      path: config.path,
      append: config.append,
      format: config.format,
      timeoutMs: LONGEST_TIMER_MS,
      // Upstream's has neither keys for a queue nor for retries: the sender waits, and is told.
      queue: queueSettings(undefined, context),
      retry: NO_RETRY,
      ...(config.compression === 'zstd' ? { zstdLevel: params.level } : {}),
      // What rotates upstream makes the folder, too, asked or not.
      ...(config.create_directory || rotation !== undefined ? { directoryMode: octal(config.directory_permissions) ?? 0o755 } : {}),
      ...(rotation === undefined
        ? {}
        : {
            rotation: {
              maxBytes: (rotation.max_megabytes > 0 ? rotation.max_megabytes : DEFAULT_MAX_MEGABYTES) * MIB,
              maxDays: Math.max(0, rotation.max_days),
              maxBackups: Math.max(0, rotation.max_backups),
              localTime: rotation.localtime,
            },
          }),
    };
  },
});

/** strconv.ParseInt(text, 8, 32), within the nine bits of a mode. */
function octal(mode: string): number | undefined {
  if (!/^\+?[0-7]+$/u.test(mode)) return undefined;
  const value = Number.parseInt(mode, 8);
  return value <= 0o777 ? value : undefined;
}

/** A section that is off where its key is absent, and knows no `enabled`: a plain pointer upstream. */
function wherePresent<T>(inner: Field<T>): Field<T | undefined> {
  const schema = kept(
    z.pipe(
      decoder((input) => (input === undefined ? undefined : (asValue(input) ?? {}))),
      z.optional(inner) as unknown as z.ZodMiniType<T | undefined, object | undefined>,
    ),
  );
  documentSchema(schema, { ...docOf(inner), shownDefault: 'off' });
  return schema as Field<T | undefined>;
}

import type { Duration, Size } from 'cdk8s';
import { type ComponentIdentity, Exporter } from '../component';
import { optionalDuration, printMebibytes } from '../print';
import { Signal } from '../signal';
import type { OtlpEncoding } from './otlp-http';

/** Keys of the `file` exporter. */
export interface FileExporterProps extends ComponentIdentity {
  readonly path: string;
  /**
   * Keep what is there; excludes `maxFileSize`.
   * @default false
   */
  readonly append?: boolean;
  /**
   * A file is rotated at this size.
   * @default - never rotated
   */
  readonly maxFileSize?: Size;
  /** @default OtlpEncoding.JSON */
  readonly format?: OtlpEncoding;
  /** @default Duration.seconds(1) */
  readonly flushInterval?: Duration;
  /** @default false */
  readonly createDirectory?: boolean;
}

/** Writes OTLP into a file. */
export class FileExporter extends Exporter {
  private readonly props: FileExporterProps;

  constructor(props: FileExporterProps) {
    super('file', props, Signal.stable());
    this.props = props;
    if (props.path === '') {
      throw new Error(`${this._place}: 'path' is empty: name a file`);
    }
    if (props.append && props.maxFileSize) {
      throw new Error(`${this._place}: 'append' (true) and 'maxFileSize' (${props.maxFileSize.asString()}) exclude each other: drop one`);
    }
  }

  /** @internal */
  public override _render(): object {
    const { maxFileSize } = this.props;
    return {
      path: this.props.path,
      append: this.props.append,
      rotation: maxFileSize && { max_megabytes: printMebibytes(this._place, 'maxFileSize', maxFileSize) },
      format: this.props.format?.name,
      flush_interval: optionalDuration(this.props.flushInterval),
      create_directory: this.props.createDirectory,
    };
  }
}

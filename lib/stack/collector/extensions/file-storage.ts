import type { Duration } from 'cdk8s';
import { type ComponentIdentity, Extension } from '../component';
import { optionalDuration } from '../print';

/** Keys of the `file_storage` extension. */
export interface FileStorageProps extends ComponentIdentity {
  /** On a volume that outlives the pod. */
  readonly directory: string;
  /**
   * How long to wait for the lock on a file.
   * @default Duration.seconds(1)
   */
  readonly timeout?: Duration;
  /**
   * Every write reaches the disk before it counts: survives a power loss, at a price.
   * @default false
   */
  readonly fsync?: boolean;
  /** @default false */
  readonly createDirectory?: boolean;
  /**
   * Give freed space back at start and after a backlog; needs room for a copy in `directory`.
   * @default true
   */
  readonly compaction?: boolean;
}

/** Keeps queues on disk. */
export class FileStorageExtension extends Extension {
  public readonly directory: string;
  private readonly props: FileStorageProps;

  constructor(props: FileStorageProps) {
    super('file_storage', props, true);
    this.props = props;
    this.directory = props.directory;
    if (!props.directory.startsWith('/')) {
      throw new Error(`${this._place}: 'directory' must be an absolute path, got '${props.directory}'`);
    }
  }

  /** @internal */
  public override _render(): object {
    const compaction = this.props.compaction ?? true;
    return {
      directory: this.directory,
      timeout: optionalDuration(this.props.timeout),
      fsync: this.props.fsync,
      create_directory: this.props.createDirectory,
      compaction: compaction ? { on_start: true, on_rebound: true, directory: this.directory, cleanup_on_start: true } : undefined,
    };
  }
}

import type { LoadProtocol, LoadResult } from './messages.ts';

/** What a rehearsal found; `--json` prints it. */
export interface RehearsalResult {
  readonly sink: {
    readonly kind: 'embedded' | 'real';
    readonly description: string;
    readonly countedBy: string;
    readonly leftOut: readonly string[];
  };
  readonly load: LoadResult & { readonly protocol: LoadProtocol; readonly connections: number; readonly spansPerRequest: number };
  readonly spans: {
    readonly sent: number;
    readonly sentByLoad: number;
    readonly sentByService: number;
    readonly accepted: number;
    readonly delivered: number;
    readonly lost: number;
    readonly duplicates: number;
  };
  /** Traces of the sample service that Jaeger's query API returned; undefined with the embedded sink. */
  readonly tracesReadBack: { readonly asked: number; readonly found: number } | undefined;
  readonly agent: { readonly cpuSecondsPerMillionSpans: number; readonly rssBytes: number };
  /** From the first span to the last count. */
  readonly seconds: number;
  /** Programs that did not end as they should. */
  readonly problems: readonly string[];
}

/** Nothing lost, everything found again, every program ended well. */
export function succeeded({ spans, tracesReadBack, problems }: RehearsalResult): boolean {
  return spans.lost === 0 && (tracesReadBack === undefined || tracesReadBack.found === tracesReadBack.asked) && problems.length === 0;
}

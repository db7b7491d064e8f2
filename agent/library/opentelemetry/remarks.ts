import { diag } from '@opentelemetry/api';

/** Between two lines about the same kind of thing: an outage has one reason and many requests. */
const QUIET_MS = 10_000;

type Level = 'warn' | 'error';

/** What is said by diag of requests whose result was given already: the first at once, then at most a line every 10 s with how many. */
export class Remarks {
  readonly #prefix: string;
  readonly #kinds = new Map<string, { readonly level: Level; saidAt: number; more: number; last: string }>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** `kind` begins the line, `detail` is the server's word of this one. */
  add(level: Level, kind: string, detail: string): void {
    const now = performance.now();
    const known = this.#kinds.get(kind);
    if (known !== undefined && now - known.saidAt < QUIET_MS) {
      known.more += 1;
      known.last = detail;
      return;
    }
    this.#say(level, kind, known?.more ?? 0, detail);
    this.#kinds.set(kind, { level, saidAt: now, more: 0, last: detail });
  }

  /** What was held back. */
  flush(): void {
    for (const [kind, one] of this.#kinds) {
      if (one.more > 0) this.#say(one.level, kind, one.more - 1, one.last);
      one.more = 0;
    }
  }

  #say(level: Level, kind: string, more: number, detail: string): void {
    const others = more === 0 ? '' : ` (and ${more} more before)`;
    diag[level](`${this.#prefix}: ${kind}: ${detail}${others}`);
  }
}

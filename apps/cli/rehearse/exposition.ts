/** Samples of a Prometheus exposition, summed over labels. */
export class Exposition {
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  static async fetch(url: string): Promise<Exposition> {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    return new Exposition(await response.text());
  }

  /** The sum of all samples with the name (or, as newer Collectors spell counters, with `_total`) whose labels contain `label`. */
  sum(name: string, label = ''): number {
    let sum = 0;
    for (const line of this.text.split('\n')) {
      const [, sample, labels = '', value] = /^(\w+)(\{.*\})? (\S+)/.exec(line) ?? [];
      if ((sample === name || sample === `${name}_total`) && labels.includes(label)) {
        sum += Number(value);
      }
    }
    return sum;
  }
}

/**
 * Statements and conditions that `otelcol validate` and this agent have to judge alike. Grouped by what they are about; whether one is
 * right is what the Collector says.
 */
export interface Case {
  readonly signal: 'traces' | 'metrics' | 'logs';
  /** Absent: inferred. */
  readonly context?: string;
  readonly statements?: readonly string[];
  readonly conditions?: readonly string[];
}

export const span = (...statements: string[]): Case => ({ signal: 'traces', context: 'span', statements });
export const event = (...statements: string[]): Case => ({ signal: 'traces', context: 'spanevent', statements });
export const log = (...statements: string[]): Case => ({ signal: 'logs', context: 'log', statements });
export const metric = (...statements: string[]): Case => ({ signal: 'metrics', context: 'metric', statements });
export const point = (...statements: string[]): Case => ({ signal: 'metrics', context: 'datapoint', statements });
export const inferred = (signal: Case['signal'], ...statements: string[]): Case => ({ signal, statements });
export const where = (condition: string): Case => span(`set(name, "x") where ${condition}`);

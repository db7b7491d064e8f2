/** Clients that people use, the statements that are tested with each of them once more, and where the client comes from. */
export interface ClientRun {
  readonly client: string;
  readonly statements: readonly number[];
  readonly source: string;
}

export const CLIENT_RUNS: readonly ClientRun[] = [
  {
    client: 'Python grpcio 1.85 (the C core)',
    statements: [1, 2, 3, 10, 11, 12, 13, 14],
    source: '`test/real/components/build python-grpc`',
  },
  { client: 'telemetrygen 0.161 (grpc-go, net/http)', statements: [1, 10, 15], source: '`test/real/components/build telemetrygen`' },
  { client: 'curl', statements: [1, 2, 15, 16, 18, 19, 20, 21, 23], source: 'the machine' },
  { client: '@grpc/grpc-js 1.14', statements: [1, 2, 3, 10, 11, 12, 13, 14], source: 'npm' },
];

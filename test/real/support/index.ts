export * from './components.ts';
export * from './config-file.ts';
export * from './describe-real.ts';
export * from './jaeger.ts';
export * from './otelcol.ts';
export * from './ports.ts';
export * from './process.ts';
export * from './wait.ts';

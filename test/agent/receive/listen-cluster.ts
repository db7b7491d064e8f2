/** Two workers of node:cluster bind the same port (0 is the same for all of them) by listen(): says `shared` when both could. */
import cluster from 'node:cluster';
import { createServer } from 'node:net';
import { listen } from '../../../agent/receive/listen.ts';

if (cluster.isPrimary) {
  const first = cluster.fork({ PORT: '0' });
  first.once('message', (port) => {
    cluster.fork({ PORT: '0' }).once('message', (second) => {
      process.stdout.write(second === port ? 'shared\n' : `${second}\n`);
      for (const worker of Object.values(cluster.workers ?? {})) worker?.kill();
    });
  });
} else {
  const address = { kind: 'tcp', host: '127.0.0.1', port: Number(process.env.PORT) } as const;
  listen(createServer(), address, 'here').then(
    (got) => process.send?.(got.kind === 'tcp' ? got.port : got.path),
    (error: Error) => process.send?.(error.message),
  );
}

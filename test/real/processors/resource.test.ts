import { describeAgainstCollector } from './harness.ts';

describeAgainstCollector('the resource processor', [
  {
    name: 'insert, update, upsert and delete',
    processors: {
      resource: {
        attributes: [
          { key: 'service.name', value: 'fixed', action: 'insert' },
          { key: 'a', value: 42, action: 'update' },
          { key: 'k8s.pod.name', value: 1.5, action: 'upsert' },
          { key: 'copy', from_attribute: 'user.id', action: 'insert' },
          { key: 'b', action: 'delete' },
        ],
      },
    },
    signals: ['traces', 'metrics', 'logs', 'profiles'],
  },
]);

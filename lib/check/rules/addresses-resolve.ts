import type { Finding } from '../finding';
import { suggestion } from '../nearest';
import { objectName } from '../read/objects';
import type { Snapshot } from '../read/snapshot';
import { podPorts } from '../read/workloads';
import type { Discovered } from '../wiring/discovery';
import { wiringOf } from '../wiring/wiring';
import { addressesResolveExamples } from './examples/addresses-resolve';
import type { Rule } from './rule';
import { unique } from './unique';

const ID = 'addresses-resolve';

/** Each address inside the cluster that a configuration, a variable or an argument holds is one that something answers. */
export const addressesResolve: Rule = {
  id: ID,
  title: 'Every address in the cluster leads to a Service, its port, and a container that has it',
  why: 'A program with a wrong address starts, reports ready and loses data, or fills its queue until it does.',
  examples: addressesResolveExamples,
  check: (snapshot) => unique([...addresses(snapshot), ...scrapes(snapshot), ...monitors(snapshot)]),
};

function addresses(snapshot: Snapshot): Finding[] {
  return wiringOf(snapshot).addresses.flatMap(({ use, resolution }): Finding[] => {
    if (resolution.kind !== 'nowhere') return [];
    return [
      {
        ...use.tree.place(use.path),
        rule: ID,
        level: 'error',
        problem: `"${use.address.text}" leads nowhere: ${resolution.problem}`,
        remedy: resolution.remedy,
      },
    ];
  });
}

/** Discovery finds ports that containers declare; relabelling may turn them into others. */
function scrapes(snapshot: Snapshot): Finding[] {
  return wiringOf(snapshot).scrapes.flatMap(({ config, path, job, pod }: Discovered): Finding[] => {
    if (pod === undefined) return [];
    const ports = podPorts(pod.workload).map(({ port }) => port);
    if (ports.length === 0 || ports.includes(pod.port)) return [];
    return [
      {
        ...config.tree.place(path),
        rule: ID,
        // The pod itself may name the port, in an annotation, and open it undeclared.
        level: 'warning',
        problem: `job "${job}" scrapes port ${pod.port} of ${objectName(pod.workload.object)}, which no container of it has`,
        remedy: `let relabelling or the annotation of the pod choose one of ${ports.join(', ')}`,
      },
    ];
  });
}

/** A monitor whose port has a name that none of what it selects has: the operator's Prometheus would show no target, and no error. */
function monitors(snapshot: Snapshot): Finding[] {
  return wiringOf(snapshot).monitors.flatMap(({ monitor, path, port, offered }): Finding[] => {
    if (port === undefined || offered.length === 0 || offered.includes(port)) return [];
    const problem = `nothing that ${objectName(monitor)} selects has a port named "${port}"`;
    return [
      {
        ...monitor.tree.place([...path, 'port']),
        rule: ID,
        level: 'error',
        problem,
        remedy: `correct the name: ${suggestion(port, offered)}`,
      },
    ];
  });
}

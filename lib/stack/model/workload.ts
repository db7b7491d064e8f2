import type { ApiObject } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import type { PersistentVolume } from './component';
import { quantity } from './container';
import { printSize } from './quantities';
import { WorkloadKind } from './workload-kind';

export interface WorkloadParts {
  /** Absent when an autoscaler owns the number. */
  readonly replicas: number | undefined;
  readonly selector: { [key: string]: string };
  /** The headless Service of a StatefulSet. */
  readonly serviceName: string;
  readonly claims: PersistentVolume[];
  readonly template: k8s.PodTemplateSpec;
}

/** Creates the object of `kind`; its spec is produced at synth. */
export function createWorkload(scope: Construct, kind: WorkloadKind, metadata: k8s.ObjectMeta, spec: object): ApiObject {
  switch (kind) {
    case WorkloadKind.STATEFUL_SET:
      return new k8s.KubeStatefulSet(scope, 'Resource', { metadata, spec: spec as k8s.StatefulSetSpec });
    case WorkloadKind.DAEMON_SET:
      return new k8s.KubeDaemonSet(scope, 'Resource', { metadata, spec: spec as k8s.DaemonSetSpec });
    case WorkloadKind.JOB:
      return new k8s.KubeJob(scope, 'Resource', { metadata, spec: spec as k8s.JobSpec });
    default:
      return new k8s.KubeDeployment(scope, 'Resource', { metadata, spec: spec as k8s.DeploymentSpec });
  }
}

export function workloadSpec(kind: WorkloadKind, parts: WorkloadParts): object {
  const { template, replicas } = parts;
  const selector = { matchLabels: parts.selector };
  switch (kind) {
    case WorkloadKind.STATEFUL_SET:
      return {
        replicas,
        selector,
        serviceName: parts.serviceName,
        podManagementPolicy: 'Parallel',
        volumeClaimTemplates: parts.claims.length > 0 ? parts.claims.map(claimTemplate) : undefined,
        template,
      } satisfies k8s.StatefulSetSpec;
    case WorkloadKind.DAEMON_SET:
      return { selector, template } satisfies k8s.DaemonSetSpec;
    case WorkloadKind.JOB:
      // The controller writes a Job's selector itself.
      return { backoffLimit: 10, ttlSecondsAfterFinished: 86_400, template } satisfies k8s.JobSpec;
    default:
      return {
        replicas,
        selector,
        strategy: {
          type: 'RollingUpdate',
          rollingUpdate: { maxSurge: k8s.IntOrString.fromNumber(1), maxUnavailable: k8s.IntOrString.fromNumber(0) },
        },
        template,
      } satisfies k8s.DeploymentSpec;
  }
}

function claimTemplate(claim: PersistentVolume): k8s.KubePersistentVolumeClaimProps {
  return {
    metadata: { name: claim.name },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: quantity(printSize(claim.size)) } },
      storageClassName: claim.storageClassName,
    },
  };
}

import { k8s } from 'cdk8s-plus-28';
import type { Endpoint } from '../model/endpoint';

/** The ports of a Service that publishes `endpoints`; the target is the named container port. */
export function servicePorts(endpoints: Endpoint[], headless: boolean): k8s.ServicePort[] {
  return endpoints.map((endpoint) => ({
    name: endpoint.name,
    // A headless Service does not translate: its port is documentation, so it says what the pod really listens on.
    port: headless ? endpoint.port : endpoint.servicePort,
    targetPort: k8s.IntOrString.fromString(endpoint.name),
    protocol: endpoint.protocol.transport,
    appProtocol: endpoint.protocol.appProtocol || undefined,
  }));
}

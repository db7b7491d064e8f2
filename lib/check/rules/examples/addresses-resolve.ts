const passing = `apiVersion: v1
kind: ConfigMap
metadata:
  name: gateway
  namespace: observability
data:
  config.yaml: |
    receivers:
      otlp:
        protocols:
          grpc:
            endpoint: 0.0.0.0:4317
    exporters:
      otlp_grpc:
        endpoint: jaeger.observability.svc.cluster.local:4317
    service:
      pipelines:
        traces:
          receivers: [otlp]
          exporters: [otlp_grpc]
---
apiVersion: v1
kind: Service
metadata:
  name: jaeger
  namespace: observability
spec:
  selector:
    app.kubernetes.io/name: jaeger
  ports:
    - name: grpc-otlp
      port: 4317
      targetPort: grpc-otlp
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: jaeger
  namespace: observability
spec:
  selector:
    matchLabels:
      app.kubernetes.io/name: jaeger
  template:
    metadata:
      labels:
        app.kubernetes.io/name: jaeger
    spec:
      containers:
        - name: jaeger
          image: docker.io/jaegertracing/jaeger:2.13.0
          ports:
            - name: grpc-otlp
              containerPort: 4317
`;

/** The failing one sends to a port that the Service does not have. */
export const addressesResolveExamples = {
  passing,
  failing: passing.replace('svc.cluster.local:4317', 'svc.cluster.local:14250'),
};

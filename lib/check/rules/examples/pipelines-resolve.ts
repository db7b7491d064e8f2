const passing = `apiVersion: v1
kind: ConfigMap
metadata:
  name: gateway
  namespace: observability
data:
  config.yaml: |
    extensions:
      health_check:
        endpoint: 0.0.0.0:13133
    receivers:
      otlp:
        protocols:
          grpc:
            endpoint: 0.0.0.0:4317
    processors:
      memory_limiter:
        check_interval: 1s
        limit_percentage: 80
    connectors:
      span_metrics: {}
    exporters:
      otlp_grpc/traces:
        endpoint: traces.example.com:4317
      prometheus:
        endpoint: 0.0.0.0:8889
    service:
      extensions: [health_check]
      pipelines:
        traces:
          receivers: [otlp]
          processors: [memory_limiter]
          exporters: [otlp_grpc/traces, span_metrics]
        metrics:
          receivers: [span_metrics]
          processors: [memory_limiter]
          exporters: [prometheus]
`;

/** The failing one names an exporter that is spelled differently where it is defined. */
export const pipelinesResolveExamples = {
  passing,
  failing: passing.replace('exporters: [otlp_grpc/traces, span_metrics]', 'exporters: [otlp_grpc/trace, span_metrics]'),
};

const deployment = (name: string, container: string): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: shop
spec:
  selector:
    matchLabels:
      app.kubernetes.io/name: ${name}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: ${name}
    spec:
      containers:
        - name: ${name}
          image: example.com/${name}:1.0.0
${container}`;

const passing = `${deployment(
  'web',
  `          env:
            - name: OTEL_EXPORTER_OTLP_ENDPOINT
              value: http://gateway.shop.svc.cluster.local:4318
`,
)}---
${deployment(
  'gateway',
  `          ports:
            - name: http-otlp
              containerPort: 4318
`,
)}---
apiVersion: v1
kind: Service
metadata:
  name: gateway
  namespace: shop
spec:
  selector:
    app.kubernetes.io/name: gateway
  ports:
    - name: http-otlp
      port: 4318
      targetPort: http-otlp
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: web
  policyTypes: [Ingress, Egress]
  egress:
    - to:
        - podSelector:
            matchLabels:
              app.kubernetes.io/name: gateway
      ports:
        - port: 4318
    - ports:
        - port: 53
          protocol: UDP
        - port: 53
          protocol: TCP
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: gateway
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: gateway
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector:
            matchLabels:
              app.kubernetes.io/name: web
      ports:
        - port: http-otlp
`;

/** The failing one forgets that a name has to be looked up. */
export const edgesAllowedExamples = {
  passing,
  failing: passing.replace(/ {4}- ports:\n {8}- port: 53[\s\S]*?TCP\n/, ''),
};

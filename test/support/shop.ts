/** What the end-to-end tests of kubectl's commands give to kubectl: manifests, small and with room for variation. */

/** A Deployment of two Pods. */
export const deployment = (name: string, image = "registry.example/web:1"): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, labels: {app: ${name}}}
spec:
  replicas: 2
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
      - name: web
        image: ${image}
        env: [{name: COLOUR, value: blue}]
        ports: [{containerPort: 80}]
        resources: {requests: {cpu: 100m, memory: 64Mi}}
---
`;

/** @param labels as `tier: front` */
export const configMap = (name: string, ...labels: readonly string[]): string => `
apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}, labels: {${labels.join(", ")}}}
---
`;

export const lines = (text: string): readonly string[] => text.trimEnd().split("\n");

/** Options of `expect.poll` for what controllers and the engine do by and by, on a machine that is busy with other things as well. */
export const soon = { timeout: 60_000, interval: 250 } as const;

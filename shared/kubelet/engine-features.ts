/**
 * What can be done beside a Pod's containers, which Amazon ECS by itself cannot. On AWS the helper does it, in Pods that carry one;
 * locally the engine does. What a feature is missing for is refused by field name or warned of: never ignored.
 */
export interface EngineFeatures {
  /** Runs probes and reports their verdicts (`probes.ts`). */
  readonly probes: boolean;
  /** Runs lifecycle hooks (`hooks.ts`). */
  readonly hooks: boolean;
  /** Fills ConfigMap, Secret and projected volumes and keeps them up to date (`volumes.ts`). */
  readonly volumes: boolean;
  /** Mounts paths inside volumes (`subPathsLabel`). */
  readonly subPaths: boolean;
  /** The machine's disk outlasts the Pod, and nobody takes the machine away: claims may be folders on it. */
  readonly nodeVolumes: boolean;
  /** Keeps a task until all its containers have stopped (`endsWithLabel`). */
  readonly endsWithAll: boolean;
  /** Sets variables to the task's own address before its containers start (`addressVariablesLabel`). */
  readonly addressVariables: boolean;
  /** Gives the task a host name (`hostnameLabel`, `subdomainLabel`) and entries in `/etc/hosts` (`hostAliasesLabel`). */
  readonly hostnames: boolean;
  /** Writes the task's own `/etc/resolv.conf` (`dnsLabel`). */
  readonly resolvers: boolean;
  /** Task overrides are seen by nobody but the engine: Secret values may stand in them. On AWS they are in events and CloudTrail. */
  readonly privateOverrides: boolean;
}

/** Amazon ECS and nothing beside it. */
export const bareEcs: EngineFeatures = {
  probes: false,
  hooks: false,
  volumes: false,
  subPaths: false,
  nodeVolumes: false,
  endsWithAll: false,
  addressVariables: false,
  hostnames: false,
  resolvers: false,
  privateOverrides: false,
};

/** An engine that does the helper's work itself. */
export const helpedEngine: EngineFeatures = {
  probes: true,
  hooks: true,
  volumes: true,
  subPaths: true,
  nodeVolumes: true,
  endsWithAll: true,
  addressVariables: true,
  hostnames: true,
  resolvers: true,
  privateOverrides: true,
};

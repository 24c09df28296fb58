/** The behaviours of all built-in kinds. */
import type { Declared } from "./behaviour.ts";
import { configMapBehaviour } from "./config-maps.ts";
import { controllerRevisionBehaviour } from "./controller-revisions.ts";
import { cronJobBehaviour } from "./cron-jobs.ts";
import { daemonSetBehaviour } from "./daemon-sets.ts";
import { deploymentBehaviour } from "./deployments.ts";
import { endpointsBehaviour } from "./endpoints.ts";
import { eventBehaviour, newEventBehaviour } from "./events.ts";
import { jobBehaviour } from "./jobs.ts";
import { namespaceBehaviour } from "./namespaces.ts";
import { nodeBehaviour } from "./nodes.ts";
import { podTemplateBehaviour } from "./pod-templates.ts";
import { podBehaviour } from "./pods.ts";
import { replicaSetBehaviour } from "./replica-sets.ts";
import { replicationControllerBehaviour } from "./replication-controllers.ts";
import { secretBehaviour } from "./secrets.ts";
import { serviceAccountBehaviour } from "./service-accounts.ts";
import { serviceBehaviour } from "./services.ts";
import { statefulSetBehaviour } from "./stateful-sets.ts";

export const behaviours: readonly Declared[] = [
  configMapBehaviour,
  controllerRevisionBehaviour,
  cronJobBehaviour,
  daemonSetBehaviour,
  deploymentBehaviour,
  endpointsBehaviour,
  eventBehaviour,
  jobBehaviour,
  namespaceBehaviour,
  newEventBehaviour,
  nodeBehaviour,
  podBehaviour,
  podTemplateBehaviour,
  replicaSetBehaviour,
  replicationControllerBehaviour,
  secretBehaviour,
  serviceAccountBehaviour,
  serviceBehaviour,
  statefulSetBehaviour,
];

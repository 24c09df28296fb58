/** The CDK app: `npx cdk synth`, `npx cdk deploy --all`. Settings come from CDK context (`-c deployment=team-a`), never from the environment. */
import { App, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { BinnacleStack } from "./binnacle-stack.ts";
import { acknowledge } from "./nag.ts";
import { StateStack } from "./state-stack.ts";

export function build(app: App): { state: StateStack; binnacle: BinnacleStack } {
  const setting = (name: string, fallback: string): string => String(app.node.tryGetContext(name) ?? fallback);
  const deployment = setting("deployment", "binnacle");
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(deployment)) {
    throw new Error(`deployment "${deployment}" must be 1 to 20 lower-case letters, digits or hyphens and begin with a letter`);
  }
  const prefix = deployment === "binnacle" ? "Binnacle" : `Binnacle-${deployment}`;
  const state = new StateStack(app, `${prefix}State`, { deployment, description: "Binnacle: the table (keeps everything)" });
  const binnacle = new BinnacleStack(app, prefix, {
    deployment,
    description: "Binnacle: Kubernetes without a cluster to run",
    zones: Number(setting("zones", "3")),
    instanceType: setting("nodeType", "m7g.large"),
    maxNodesPerZone: Number(setting("maxNodesPerZone", "20")),
    reserveConcurrency: setting("reserveConcurrency", "true") === "true",
    requestsPerSecond: Number(setting("requestsPerSecond", "200")),
  });
  binnacle.addStackDependency(state);
  acknowledge(binnacle);
  return { state, binnacle };
}

if (import.meta.main) {
  const app = new App();
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  build(app);
}

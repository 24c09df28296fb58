/** Rules of cdk-nag's AwsSolutions pack that we do not follow, each where it applies and with its reason. */
import { type Stack, Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

const price = "costs money while nothing happens; switched on for those who ask";

/** What nobody follows in this stack, wherever it occurs. */
const everywhere: Readonly<Record<string, string>> = {
  "AwsSolutions-VPC7": `VPC flow logs: ${price}`,
  "AwsSolutions-ECS4": `Container Insights: ${price}`,
  "AwsSolutions-AS3":
    "Auto Scaling notifications: launches and terminations are seen by the capacity function; a topic would have no reader",
  "AwsSolutions-SQS3":
    "These queues are dead-letter queues, of an event source mapping and of an EventBridge target, which the rule cannot see",
  "AwsSolutions-APIG1": "Access logs need the account-wide API Gateway role, which a deployment must not replace unasked",
  "AwsSolutions-APIG2":
    "The api function validates requests itself and answers with a Kubernetes Status; a model cannot describe the Kubernetes API",
  "AwsSolutions-APIG3": `WAF: ${price}`,
  "AwsSolutions-APIG4":
    "The api function authenticates: a Lambda authorizer would cost a second invocation and could not answer with a Kubernetes Status",
  "AwsSolutions-APIG6": "Execution logs need the account-wide API Gateway role, and would hold bearer tokens",
  "AwsSolutions-COG4": "Identities are IAM's, as with EKS, not Cognito's",
};

/** A policy wildcard that cannot be narrowed: the resource as cdk-nag writes it, and why. */
export interface Wildcard {
  readonly where: IConstruct;
  readonly resource: string;
  readonly reason: string;
}

export function acknowledge(stack: Stack & { readonly wildcards: readonly Wildcard[] }): void {
  for (const [id, reason] of Object.entries(everywhere)) Validations.of(stack).acknowledge({ id, reason });
  for (const { where, resource, reason } of stack.wildcards) {
    Validations.of(where).acknowledge({ id: `AwsSolutions-IAM5[Resource::${resource}]`, reason });
  }
  for (const child of stack.node.children.filter(({ node }) => node.id === customResourceProvider)) {
    Validations.of(child).acknowledge({
      id: "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]",
      reason: "CDK's own function for custom resources brings this role",
    });
  }
}

/** Name that CDK gives the function behind `AwsCustomResource`. */
const customResourceProvider = "AWS679f53fac002430cb0da5b7982bd2287";

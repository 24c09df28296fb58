import { App, Validations } from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";
import { AwsSolutionsChecks } from "cdk-nag";
import { beforeAll, describe, expect, it } from "vitest";
import { build } from "../../infra/app.ts";
import { functions } from "../../infra/functions.ts";
import { codeByReason, type Reason } from "../../shared/errors/status-error.ts";

/** Bundling is esbuild's business and takes seconds; the templates do not depend on it. */
const context = { "aws:cdk:bundling-stacks": [] };

describe("the deployed stacks", () => {
  let state: Template;
  let stack: Template;

  beforeAll(() => {
    const stacks = build(new App({ context }));
    state = Template.fromStack(stacks.state);
    stack = Template.fromStack(stacks.binnacle);
  }, 60_000);

  it("keep the table: logical id, keys, stream view, retention", () => {
    const tables = state.findResources("AWS::DynamoDB::GlobalTable");
    expect(Object.keys(tables)).toEqual(["TableCD117FA1"]);
    state.hasResource("AWS::DynamoDB::GlobalTable", {
      DeletionPolicy: "Retain",
      UpdateReplacePolicy: "Retain",
      Properties: {
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: [
          { AttributeName: "pk", KeyType: "HASH" },
          { AttributeName: "sk", KeyType: "RANGE" },
        ],
        StreamSpecification: { StreamViewType: "NEW_IMAGE" },
        Replicas: [
          Match.objectLike({ DeletionProtectionEnabled: true, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } }),
        ],
      },
    });
  });

  it.each(Object.entries(functions))("have the function %s on Node 24 and arm64", (name, settings) => {
    stack.hasResourceProperties("AWS::Lambda::Function", {
      FunctionName: `binnacle-${name}`,
      Runtime: "nodejs24.x",
      Architectures: ["arm64"],
      MemorySize: settings.memorySize,
      Timeout: settings.timeoutSeconds,
    });
  });

  it("stream answers through a Regional dual-stack REST API, at / and below", () => {
    stack.hasResourceProperties("AWS::ApiGateway::RestApi", {
      BinaryMediaTypes: ["*/*"],
      EndpointConfiguration: { Types: ["REGIONAL"], IpAddressType: "dualstack" },
    });
    const methods = Object.values(stack.findResources("AWS::ApiGateway::Method"));
    expect(methods).toHaveLength(2);
    for (const method of methods) {
      expect(method.Properties.Integration).toMatchObject({ Type: "AWS_PROXY", ResponseTransferMode: "STREAM", TimeoutInMillis: 900_000 });
    }
    stack.hasResourceProperties("AWS::ApiGateway::Stage", { StageName: "k" });
  });

  it("trap 16: answer for API Gateway with a Kubernetes Status, which says when to come back where that helps", () => {
    const responses = Object.values(stack.findResources("AWS::ApiGateway::GatewayResponse")).map(({ Properties }) => Properties);
    expect(responses.map(({ ResponseType }) => ResponseType)).toEqual(expect.arrayContaining(["DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED"]));
    for (const { ResponseType, StatusCode, ResponseTemplates, ResponseParameters } of responses) {
      const status = JSON.parse(ResponseTemplates["application/json"].replace("$context.error.messageString", '"said by the gateway"'));
      expect(status, ResponseType).toMatchObject({ kind: "Status", apiVersion: "v1", metadata: {}, message: "said by the gateway" });
      // A client believes the body: it must not contradict the line above it.
      expect(String(status.code), ResponseType).toBe(StatusCode);
      expect(codeByReason[status.reason as Reason], ResponseType).toBe(status.code);
      const retryAfter = ResponseParameters["gatewayresponse.header.Retry-After"];
      expect(status.details?.retryAfterSeconds, ResponseType).toBe(retryAfter === undefined ? undefined : 1);
      if ([429, 503, 504].includes(status.code)) expect(retryAfter, ResponseType).toBe("'1'");
    }
  });

  it("ring the doorbell for items with `ring` only, once per shard, and never for ever", () => {
    stack.resourceCountIs("AWS::Lambda::EventSourceMapping", 1);
    stack.hasResourceProperties("AWS::Lambda::EventSourceMapping", {
      BatchSize: 1000,
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 3,
      MaximumRecordAgeInSeconds: 600,
      FilterCriteria: { Filters: [{ Pattern: '{"dynamodb":{"NewImage":{"ring":{"S":[{"exists":true}]}}}}' }] },
      DestinationConfig: { OnFailure: { Destination: Match.anyValue() } },
    });
  });

  it("sweep hourly", () => {
    stack.allResourcesProperties("AWS::Scheduler::Schedule", { ScheduleExpression: "rate(1 hour)" });
    stack.resourceCountIs("AWS::Scheduler::Schedule", 3);
  });

  it("cost nothing while idle: no NAT, load balancer, interface endpoint, instance or more than five alarms", () => {
    stack.resourceCountIs("AWS::EC2::NatGateway", 0);
    stack.resourceCountIs("AWS::ElasticLoadBalancingV2::LoadBalancer", 0);
    stack.allResourcesProperties("AWS::EC2::VPCEndpoint", { VpcEndpointType: "Gateway" });
    for (const group of Object.values(stack.findResources("AWS::AutoScaling::AutoScalingGroup"))) {
      expect(group.Properties).toMatchObject({ MinSize: "0", NewInstancesProtectedFromScaleIn: true });
      expect(group.Properties.DesiredCapacity).toBeUndefined();
    }
    expect(Object.keys(stack.findResources("AWS::CloudWatch::Alarm")).length).toBeLessThanOrEqual(5);
  });

  it("tell the reconciler where default/kubernetes is to lead", () => {
    const [reconciler] = Object.values(
      stack.findResources("AWS::Lambda::Function", { Properties: { FunctionName: "binnacle-reconciler" } }),
    );
    expect(JSON.stringify(reconciler?.Properties.Environment.Variables.BINNACLE_ENDPOINT_URL)).toMatch(/execute-api.*\/k?/u);
  });

  it("launch nodes from an image for their architecture, and do not pay for them longer than their end takes", () => {
    const imageOf = (template: Template): string =>
      JSON.stringify(Object.values(template.findResources("AWS::EC2::LaunchTemplate"))[0]?.Properties.LaunchTemplateData.ImageId);
    const intel = Template.fromStack(build(new App({ context: { ...context, nodeType: "m5.large" } })).binnacle);
    const parameter = (template: Template) => JSON.stringify(template.toJSON().Parameters);
    expect(imageOf(stack)).not.toBe(imageOf(intel));
    expect(parameter(stack)).toContain("/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended");
    expect(parameter(intel)).toContain("/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended");
    stack.allResourcesProperties("AWS::AutoScaling::LifecycleHook", { HeartbeatTimeout: 120, DefaultResult: "CONTINUE" });
  });

  it("give Pod subnets IPv6 egress only", () => {
    const routes = Object.values(stack.findResources("AWS::EC2::Route")).map(({ Properties }) => Properties);
    expect(routes.filter((route) => route.EgressOnlyInternetGatewayId)).toHaveLength(3);
    for (const route of routes.filter(({ EgressOnlyInternetGatewayId }) => EgressOnlyInternetGatewayId)) {
      expect(route).toMatchObject({ DestinationIpv6CidrBlock: "::/0" });
    }
  });

  describe("rights", () => {
    const actionsOf = (functionName: string): string[] => {
      const policies = Object.entries(stack.findResources("AWS::IAM::Policy"));
      const own = policies.find(([id]) => id.toLowerCase().startsWith(`${functionName}role`));
      if (!own) throw new Error(`no policy of ${functionName}`);
      return (own[1].Properties.PolicyDocument.Statement as { Action: string | string[] }[]).flatMap(({ Action }) => Action);
    };

    it("let only the kubelet start and stop tasks", () => {
      for (const name of Object.keys(functions)) {
        expect(actionsOf(name).includes("ecs:StartTask"), name).toBe(name === "kubelet");
      }
    });

    it("give the api function nothing of ECS or IAM", () => {
      expect(actionsOf("api").filter((action) => /^(ecs|iam):/.test(action))).toEqual([]);
    });

    it("know single-item operations on the table only", () => {
      const allowed = new Set([
        "GetItem",
        "PutItem",
        "DeleteItem",
        "Query",
        "DescribeTable",
        "GetRecords",
        "GetShardIterator",
        "DescribeStream",
        "ListStreams",
      ]);
      for (const name of Object.keys(functions)) {
        for (const action of actionsOf(name).filter((text) => text.startsWith("dynamodb:"))) expect(allowed).toContain(action.slice(9));
      }
    });
  });

  it("pass cdk-nag's AwsSolutions rules, but for those acknowledged with a reason", () => {
    const app = new App({ context });
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    build(app);
    expect(() => app.synth()).not.toThrow();
  }, 60_000);
});

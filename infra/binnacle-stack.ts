/** Everything stateless: functions, REST API, stream mapping, schedules, network and nodes. */
import { join } from "node:path";
import { AssetHashType, Aws, type CfnElement, CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import {
  CfnGatewayResponse,
  EndpointType,
  IpAddressType,
  LambdaIntegration,
  ResponseTransferMode,
  RestApi,
  type RestApiProps,
} from "aws-cdk-lib/aws-apigateway";
import { Alarm, ComparisonOperator, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { Repository, TagMutability } from "aws-cdk-lib/aws-ecr";
import { Rule } from "aws-cdk-lib/aws-events";
import { LambdaFunction as LambdaTarget } from "aws-cdk-lib/aws-events-targets";
import { Effect, type IRole, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import {
  Architecture,
  Code,
  EventSourceMapping,
  FilterCriteria,
  FilterRule,
  Function as LambdaFunction,
  Runtime,
  StartingPosition,
} from "aws-cdk-lib/aws-lambda";
import { SqsDlq } from "aws-cdk-lib/aws-lambda-event-sources";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { CfnScheduleGroup, Schedule, ScheduleExpression, ScheduleTargetInput } from "aws-cdk-lib/aws-scheduler";
import { LambdaInvoke } from "aws-cdk-lib/aws-scheduler-targets";
import { Queue } from "aws-cdk-lib/aws-sqs";
import { StringParameter } from "aws-cdk-lib/aws-ssm";
import type { Construct, IConstruct } from "constructs";
import { codeByReason, type Reason } from "../shared/errors/status-error.ts";
import { bundle, mainFile } from "./bundling.ts";
import { type FunctionName, functions } from "./functions.ts";
import type { Wildcard } from "./nag.ts";
import { Network } from "./network.ts";
import { Nodes } from "./nodes.ts";
import { parameterNames } from "./state-stack.ts";

export interface BinnacleStackProps extends StackProps {
  readonly deployment: string;
  readonly zones: number;
  readonly instanceType: string;
  readonly maxNodesPerZone: number;
  /** Set aside concurrency for each function; needs an account limit of 200 or more. */
  readonly reserveConcurrency: boolean;
  /** Requests per second that the API accepts: the cost ceiling of a flood. */
  readonly requestsPerSecond: number;
}

const lambdas = join(import.meta.dirname, "../lambdas");

/** A function's bundle, made when the stack is synthesized. */
const codeOf = (entry: string): Code =>
  Code.fromAsset(lambdas, {
    // What counts is what comes out: the entry imports half of the repository.
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Asked for by the interface, and never run: esbuild is here.
      image: Runtime.NODEJS_24_X.bundlingImage,
      local: {
        tryBundle(folder) {
          bundle(join(lambdas, entry), folder);
          return true;
        },
      },
    },
  });

export class BinnacleStack extends Stack {
  private readonly props: BinnacleStackProps;
  /** Policy wildcards that cannot be narrowed, for `nag.ts`. */
  readonly wildcards: Wildcard[] = [];
  private readonly functions = {} as Record<FunctionName, LambdaFunction>;
  private readonly roles = {} as Record<FunctionName, Role>;
  private readonly tableName: string;
  private readonly tableArn: string;
  private readonly streamArn: string;

  constructor(scope: Construct, id: string, props: BinnacleStackProps) {
    super(scope, id, props);
    this.props = props;
    const names = parameterNames(props.deployment);
    this.tableName = StringParameter.valueForStringParameter(this, names.tableName);
    this.tableArn = StringParameter.valueForStringParameter(this, names.tableArn);
    this.streamArn = StringParameter.valueForStringParameter(this, names.streamArn);

    const network = new Network(this, "Network", { deployment: props.deployment, zones: props.zones });
    const nodes = new Nodes(this, "DefaultNodes", {
      deployment: props.deployment,
      cluster: "default",
      network,
      instanceType: props.instanceType,
      maxNodesPerZone: props.maxNodesPerZone,
    });
    const podLogs = new LogGroup(this, "PodLogs", {
      logGroupName: `/${props.deployment}/pods`,
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new Repository(this, "Images", {
      repositoryName: `${props.deployment}/images`,
      imageScanOnPush: true,
      imageTagMutability: TagMutability.IMMUTABLE,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const executionRole = this.executionRole(podLogs);
    const podRole = new Role(this, "PodRole", {
      path: `/binnacle/${props.deployment}/pod/`,
      description: "Pods without a role of their own: may do nothing",
      assumedBy: new ServicePrincipal("ecs-tasks.amazonaws.com", {
        conditions: {
          StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID },
          ArnLike: { "aws:SourceArn": `arn:${Aws.PARTITION}:ecs:${Aws.REGION}:${Aws.ACCOUNT_ID}:*` },
        },
      }),
    });

    const scheduleGroup = new CfnScheduleGroup(this, "WakeUps", { name: `${props.deployment}-wake-ups` });
    const environment = {
      BINNACLE_TABLE: this.tableName,
      BINNACLE_DEPLOYMENT: props.deployment,
      BINNACLE_POD_LOG_GROUP: podLogs.logGroupName,
      BINNACLE_POD_SUBNETS: this.toJsonString(
        network.podSubnets.map(({ availabilityZone, subnetId }) => ({ zone: availabilityZone, subnet: subnetId })),
      ),
      BINNACLE_POD_SECURITY_GROUPS: this.toJsonString([network.podSecurityGroup.securityGroupId]),
      BINNACLE_EXECUTION_ROLE_ARN: executionRole.roleArn,
      BINNACLE_POD_ROLE_ARN: podRole.roleArn,
      BINNACLE_SCHEDULE_GROUP: scheduleGroup.name ?? "",
      BINNACLE_FUNCTION_ARN_PREFIX: `arn:${Aws.PARTITION}:lambda:${Aws.REGION}:${Aws.ACCOUNT_ID}:function:${props.deployment}-`,
      BINNACLE_ADVICE_WITHOUT_NODES: `add one with: aws autoscaling set-desired-capacity --desired-capacity 1 --auto-scaling-group-name ${nodes.groupNames[0]}`,
      NODE_OPTIONS: "--enable-source-maps",
    };
    for (const name of Object.keys(functions) as FunctionName[]) this.functions[name] = this.function(name, environment);

    this.grantTable();
    this.grantTasks(nodes, [executionRole, podRole]);
    podLogs.grant(this.functions.api, "logs:GetLogEvents");
    this.wireStream();
    this.wireTaskEvents(nodes);
    this.wireSchedules(scheduleGroup);
    const api = this.restApi();
    // Not of the api function, on which the API depends; it knows its URL by each request.
    this.functions.reconciler.addEnvironment("BINNACLE_ENDPOINT_URL", api.url);
    this.alarms();
    this.listWildcards(nodes, podLogs, executionRole);

    new CfnOutput(this, "ApiUrl", { value: api.url, description: "Kubernetes API server URL" });
  }

  private function(name: FunctionName, environment: Record<string, string>): LambdaFunction {
    const settings = functions[name];
    const functionName = `${this.props.deployment}-${name}`;
    const reserved = "reservedConcurrency" in settings && this.props.reserveConcurrency ? settings.reservedConcurrency : undefined;
    const logGroup = new LogGroup(this, `${name}Log`, {
      logGroupName: `/${this.props.deployment}/functions/${name}`,
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // A role of our own: the managed policy would let a function write to every log group of the account.
    const role = new Role(this, `${name}Role`, {
      description: settings.description,
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
    });
    logGroup.grantWrite(role);
    this.roles[name] = role;
    return new LambdaFunction(this, `${name[0]?.toUpperCase()}${name.slice(1)}Function`, {
      functionName,
      description: settings.description,
      code: codeOf(settings.entry),
      handler: `${mainFile}.handler`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: settings.memorySize,
      timeout: Duration.seconds(settings.timeoutSeconds),
      ...(reserved !== undefined && { reservedConcurrentExecutions: reserved }),
      retryAttempts: 2,
      environment,
      logGroup,
      role,
    });
  }

  /** Single-item operations only; nobody may scan, batch, transact or touch the table itself. */
  private grantTable(): void {
    const write = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:Query", "dynamodb:DescribeTable"];
    for (const name of ["api", "reconciler", "kubelet", "capacity"] as const) this.allow(name, write, [this.tableArn]);
    this.allow("ingest", ["dynamodb:GetItem", "dynamodb:PutItem"], [this.tableArn]);
    this.allow("doorbell", ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"], [this.streamArn]);
    this.allow("doorbell", ["dynamodb:ListStreams"], ["*"]);
  }

  /** Only the kubelet may start or stop tasks; capacity only looks at container instances. */
  private grantTasks(nodes: Nodes, roles: readonly IRole[]): void {
    const ecs = (resource: string, resourceName: string) => this.formatArn({ service: "ecs", resource, resourceName });
    const inCluster = { ArnEquals: { "ecs:cluster": nodes.ecsCluster.clusterArn } };
    const clusterName = `${this.props.deployment}-default`;
    const definitions = ecs("task-definition", `binnacle-${this.props.deployment}-*`);
    this.allow("kubelet", ["ecs:StartTask", "ecs:RunTask"], [definitions], inCluster);
    this.allow("kubelet", ["ecs:StopTask", "ecs:DescribeTasks"], [ecs("task", `${clusterName}/*`)], inCluster);
    this.allow("kubelet", ["ecs:ListTasks"], ["*"], inCluster);
    this.allow("kubelet", ["ecs:TagResource"], [ecs("task", `${clusterName}/*`), definitions], {
      StringEquals: { "ecs:CreateAction": ["StartTask", "RunTask", "RegisterTaskDefinition"] },
    });
    this.allow("kubelet", ["ecs:RegisterTaskDefinition"], ["*"], { StringEquals: { "aws:RequestTag/binnacle": this.props.deployment } });
    this.allow("kubelet", ["ecs:DescribeTaskDefinition"], ["*"]);
    this.allow(
      "kubelet",
      ["iam:PassRole"],
      roles.map(({ roleArn }) => roleArn),
      {
        StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" },
      },
    );
    for (const name of ["kubelet", "capacity"] as const) {
      this.allow(name, ["ecs:ListContainerInstances"], [nodes.ecsCluster.clusterArn]);
      this.allow(name, ["ecs:DescribeContainerInstances"], [ecs("container-instance", `${clusterName}/*`)], inCluster);
    }
  }

  private wireStream(): void {
    const deadLetters = new Queue(this, "DoorbellDeadLetters", { enforceSSL: true, retentionPeriod: Duration.days(14) });
    new EventSourceMapping(this, "Stream", {
      target: this.functions.doorbell,
      eventSourceArn: this.streamArn,
      startingPosition: StartingPosition.LATEST,
      batchSize: 1000,
      maxBatchingWindow: Duration.seconds(0),
      retryAttempts: 3,
      bisectBatchOnError: true,
      maxRecordAge: Duration.minutes(10),
      onFailure: new SqsDlq(deadLetters),
      // Only slots and inbox items that concern somebody carry `ring`.
      filters: [FilterCriteria.filter({ dynamodb: { NewImage: { ring: { S: FilterRule.exists() } } } })],
    });
    deadLetters.grantSendMessages(this.functions.doorbell);
    for (const name of ["reconciler", "kubelet", "capacity"] as const) {
      this.allow("doorbell", ["lambda:InvokeFunction"], [this.functions[name].functionArn]);
    }
  }

  private wireTaskEvents(nodes: Nodes): void {
    this.allow("ingest", ["lambda:InvokeFunction"], [this.functions.capacity.functionArn]);
    const deadLetters = new Queue(this, "IngestDeadLetters", { enforceSSL: true, retentionPeriod: Duration.days(14) });
    new Rule(this, "TaskEvents", {
      description: "ECS task and container instance state changes of this deployment",
      eventPattern: {
        source: ["aws.ecs"],
        detailType: ["ECS Task State Change", "ECS Container Instance State Change"],
        detail: { clusterArn: [nodes.ecsCluster.clusterArn] },
      },
      targets: [
        new LambdaTarget(this.functions.ingest, { deadLetterQueue: deadLetters, retryAttempts: 185, maxEventAge: Duration.hours(24) }),
      ],
    });
  }

  /** The hourly backstop; passes add one-shot schedules to the group for the next time that can matter. */
  private wireSchedules(group: CfnScheduleGroup): void {
    const role = new Role(this, "SchedulerRole", {
      description: "Lets EventBridge Scheduler start consumers",
      assumedBy: new ServicePrincipal("scheduler.amazonaws.com", { conditions: { StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID } } }),
    });
    for (const name of ["reconciler", "kubelet", "capacity"] as const) {
      const target = this.functions[name];
      target.grantInvoke(role);
      new Schedule(this, `${name}Sweep`, {
        description: `Hourly backstop of ${name}`,
        schedule: ScheduleExpression.rate(Duration.hours(1)),
        target: new LambdaInvoke(target, {
          role,
          retryAttempts: 2,
          input: ScheduleTargetInput.fromObject({ consumer: name, sweep: true }),
        }),
      });
    }
    for (const name of ["reconciler", "kubelet", "capacity"] as const) {
      this.functions[name].addEnvironment("BINNACLE_SCHEDULER_ROLE_ARN", role.roleArn);
      this.allow(
        name,
        ["scheduler:CreateSchedule"],
        [this.formatArn({ service: "scheduler", resource: "schedule", resourceName: `${group.name}/*` })],
      );
      this.allow(name, ["iam:PassRole"], [role.roleArn], { StringEquals: { "iam:PassedToService": "scheduler.amazonaws.com" } });
    }
  }

  private restApi(): RestApi {
    const props: RestApiProps = {
      restApiName: `${this.props.deployment}-api`,
      description: "The Kubernetes API",
      endpointConfiguration: { types: [EndpointType.REGIONAL], ipAddressType: IpAddressType.DUAL_STACK },
      binaryMediaTypes: ["*/*"],
      cloudWatchRole: false,
      deployOptions: {
        stageName: "k",
        throttlingRateLimit: this.props.requestsPerSecond,
        throttlingBurstLimit: this.props.requestsPerSecond * 2,
        metricsEnabled: false,
      },
    };
    const api = new RestApi(this, "Api", props);
    const integration = new LambdaIntegration(this.functions.api, {
      proxy: true,
      responseTransferMode: ResponseTransferMode.STREAM,
      timeout: Duration.minutes(15),
      scopePermissionToMethod: false,
    });
    api.root.addMethod("ANY", integration);
    api.root.addResource("{proxy+}").addMethod("ANY", integration);
    for (const [type, reason] of gatewayResponses) {
      const code = codeByReason[reason];
      const details = retryable.has(type) ? '"details":{"retryAfterSeconds":1},' : "";
      new CfnGatewayResponse(this, `Gateway${type}`, {
        restApiId: api.restApiId,
        responseType: type,
        statusCode: String(code),
        responseParameters: {
          "gatewayresponse.header.Content-Type": "'application/json'",
          ...(retryable.has(type) && { "gatewayresponse.header.Retry-After": "'1'" }),
        },
        responseTemplates: {
          "application/json": `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":$context.error.messageString,"reason":"${reason}",${details}"code":${code}}`,
        },
      });
    }
    return api;
  }

  private listWildcards(nodes: Nodes, podLogs: LogGroup, executionRole: Role): void {
    const clusterName = `${this.props.deployment}-default`;
    const ecs = "arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>";
    const madeAtRunTime = "these are named at run time; bound to this deployment's cluster";
    const noResource = "the action knows no resource-level permission";
    const add = (where: IConstruct, resource: string, reason: string) => this.wildcards.push({ where, resource, reason });
    for (const where of [nodes, this.roles.kubelet, this.roles.capacity])
      add(where, `${ecs}:container-instance/${clusterName}/*`, madeAtRunTime);
    for (const where of [nodes, executionRole, this.roles.doorbell, this.roles.kubelet]) add(where, "*", noResource);
    add(this.roles.kubelet, `${ecs}:task/${clusterName}/*`, madeAtRunTime);
    add(this.roles.kubelet, `${ecs}:task-definition/binnacle-${this.props.deployment}-*`, madeAtRunTime);
    add(
      nodes,
      "arn:<AWS::Partition>:ecr:*:<AWS::AccountId>:repository/*",
      "which repositories Pods use is the user's choice, and so is their Region",
    );
    add(
      executionRole,
      "arn:<AWS::Partition>:ecr:<AWS::Region>:<AWS::AccountId>:repository/*",
      "which repositories Pods use is the user's choice",
    );
    add(executionRole, `<${this.logicalIdOf(podLogs)}.Arn>:*`, "log streams are named at run time");
    for (const name of ["reconciler", "kubelet", "capacity"] as const) {
      const schedules = `arn:<AWS::Partition>:scheduler:<AWS::Region>:<AWS::AccountId>:schedule/${this.props.deployment}-wake-ups/*`;
      add(this.roles[name], schedules, "one-shot schedules are named at run time; only in this deployment's group");
      add(
        this,
        `<${this.logicalIdOf(this.functions[name])}.Arn>:*`,
        "any version or alias of this one function: what CDK's grantInvoke allows",
      );
    }
  }

  private logicalIdOf(construct: IConstruct): string {
    return this.getLogicalId(construct.node.defaultChild as CfnElement);
  }

  /** At most five: more would cost money while nothing happens. */
  private alarms(): void {
    for (const name of ["api", "reconciler", "kubelet", "doorbell", "ingest"] as const) {
      new Alarm(this, `${name}Errors`, {
        alarmDescription: `${functions[name].description}: failed`,
        metric: this.functions[name].metricErrors({ period: Duration.minutes(5) }),
        threshold: 1,
        evaluationPeriods: 3,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      });
    }
  }

  /** Pulls images of this account and writes Pod logs. */
  private executionRole(podLogs: LogGroup): Role {
    const role = new Role(this, "ExecutionRole", {
      path: `/binnacle/${this.props.deployment}/`,
      description: "ECS agent: pulls images, writes logs",
      assumedBy: new ServicePrincipal("ecs-tasks.amazonaws.com", { conditions: { StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID } } }),
    });
    role.addToPolicy(
      new PolicyStatement({
        actions: ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
        resources: [this.formatArn({ service: "ecr", resource: "repository", resourceName: "*" })],
      }),
    );
    role.addToPolicy(new PolicyStatement({ actions: ["ecr:GetAuthorizationToken"], resources: ["*"] }));
    role.addToPolicy(
      new PolicyStatement({
        actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
        resources: [podLogs.logGroupArn, `${podLogs.logGroupArn}:*`],
      }),
    );
    return role;
  }

  private allow(
    name: FunctionName,
    actions: readonly string[],
    resources: readonly string[],
    conditions?: Record<string, Record<string, unknown>>,
  ): void {
    this.functions[name].addToRolePolicy(
      new PolicyStatement({ effect: Effect.ALLOW, actions: [...actions], resources: [...resources], ...(conditions && { conditions }) }),
    );
  }
}

/** Answers that API Gateway makes by itself, as Kubernetes clients expect them: the code is the reason's, in the head and in the body. */
const gatewayResponses: readonly (readonly [type: string, reason: Reason])[] = [
  ["DEFAULT_4XX", "BadRequest"],
  ["DEFAULT_5XX", "InternalError"],
  ["ACCESS_DENIED", "Forbidden"],
  ["WAF_FILTERED", "Forbidden"],
  ["REQUEST_TOO_LARGE", "RequestEntityTooLarge"],
  ["THROTTLED", "TooManyRequests"],
  ["QUOTA_EXCEEDED", "TooManyRequests"],
  ["INTEGRATION_FAILURE", "ServiceUnavailable"],
  ["INTEGRATION_TIMEOUT", "Timeout"],
];
const retryable = new Set(["DEFAULT_5XX", "THROTTLED", "QUOTA_EXCEEDED", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT"]);

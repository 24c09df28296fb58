/** EC2 capacity: one ECS cluster per Binnacle cluster, one Auto Scaling group per zone. Nothing runs until somebody asks for a node. */
import { Aws, Duration, RemovalPolicy, Stack, Tags } from "aws-cdk-lib";
import { AutoScalingGroup, CfnAutoScalingGroup, DefaultResult, LifecycleTransition } from "aws-cdk-lib/aws-autoscaling";
import { BlockDeviceVolume, EbsDeviceVolumeType, InstanceArchitecture, InstanceType, LaunchTemplate, UserData } from "aws-cdk-lib/aws-ec2";
import { AmiHardwareType, Cluster, EcsOptimizedImage } from "aws-cdk-lib/aws-ecs";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId } from "aws-cdk-lib/custom-resources";
import { Construct } from "constructs";
import type { Network } from "./network.ts";

export interface NodesProps {
  readonly deployment: string;
  /** Name of the Binnacle cluster whose nodes these are. */
  readonly cluster: string;
  readonly network: Network;
  /** EC2 instance type of the nodes; their image follows from its architecture. */
  readonly instanceType: string;
  /** Upper bound on nodes per zone. */
  readonly maxNodesPerZone: number;
}

export class Nodes extends Construct {
  readonly ecsCluster: Cluster;
  readonly instanceRole: Role;
  /** Names of the Auto Scaling groups, one per zone. */
  readonly groupNames: readonly string[];

  constructor(scope: Construct, id: string, props: NodesProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const name = `${props.deployment}-${props.cluster}`;
    this.ecsCluster = new Cluster(this, "EcsCluster", { clusterName: name, vpc: props.network.vpc });

    this.instanceRole = new Role(this, "InstanceRole", {
      assumedBy: new ServicePrincipal("ec2.amazonaws.com"),
      description: `ECS agent of Binnacle nodes, cluster ${name}`,
    });
    this.grantAgent(this.instanceRole, name);

    // Without trunking a machine holds as many Pods as it has network interfaces to spare: 2 on an m7g.large instead of 10. It applies
    // only to instances launched afterwards, hence the dependency of every group below.
    const trunking = new AwsCustomResource(this, "EniTrunking", {
      onUpdate: {
        service: "ECS",
        action: "putAccountSetting",
        parameters: { name: "awsvpcTrunking", value: "enabled", principalArn: this.instanceRole.roleArn },
        physicalResourceId: PhysicalResourceId.of(`${name}-eni-trunking`),
      },
      policy: AwsCustomResourcePolicy.fromStatements([new PolicyStatement({ actions: ["ecs:PutAccountSetting"], resources: ["*"] })]),
      installLatestAwsSdk: false,
      logGroup: new LogGroup(this, "EniTrunkingLog", { retention: RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY }),
    });

    const userData = UserData.forLinux();
    userData.addCommands(
      `cat >> /etc/ecs/ecs.config <<CONFIG`,
      `ECS_CLUSTER=${name}`,
      "ECS_AWSVPC_BLOCK_IMDS=true",
      "ECS_ENABLE_TASK_IAM_ROLE=true",
      "ECS_CONTAINER_STOP_TIMEOUT=30s",
      `ECS_INSTANCE_ATTRIBUTES={"binnacle.cluster":"${props.cluster}"}`,
      "CONFIG",
    );
    const instanceType = new InstanceType(props.instanceType);
    const hardware = instanceType.architecture === InstanceArchitecture.ARM_64 ? AmiHardwareType.ARM : AmiHardwareType.STANDARD;
    const template = new LaunchTemplate(this, "LaunchTemplate", {
      instanceType,
      machineImage: EcsOptimizedImage.amazonLinux2023(hardware),
      role: this.instanceRole,
      securityGroup: props.network.nodeSecurityGroup,
      userData,
      requireImdsv2: true,
      httpPutResponseHopLimit: 1,
      associatePublicIpAddress: true,
      blockDevices: [
        { deviceName: "/dev/xvda", volume: BlockDeviceVolume.ebs(30, { encrypted: true, volumeType: EbsDeviceVolumeType.GP3 }) },
      ],
    });

    const groupNames: string[] = [];
    for (const [index, subnet] of props.network.nodeSubnets.entries()) {
      const group = new AutoScalingGroup(this, `Zone${index + 1}`, {
        vpc: props.network.vpc,
        vpcSubnets: { subnets: [subnet] },
        launchTemplate: template,
        minCapacity: 0,
        // No desired capacity: it would reset the fleet at every deployment.
        maxCapacity: props.maxNodesPerZone,
        newInstancesProtectedFromScaleIn: true,
      });
      group.addLifecycleHook("Termination", {
        lifecycleTransition: LifecycleTransition.INSTANCE_TERMINATING,
        defaultResult: DefaultResult.CONTINUE,
        // Nobody ends the wait early: by default the machine would stand there, and be paid for, an hour.
        heartbeatTimeout: Duration.minutes(2),
      });
      group.node.addDependency(trunking);
      const resource = group.node.defaultChild as CfnAutoScalingGroup;
      resource.addPropertyDeletionOverride("DesiredCapacity");
      Tags.of(group).add("binnacle", props.deployment);
      Tags.of(group).add("binnacle:cluster", props.cluster);
      Tags.of(group).add("Name", `${name}-node`);
      groupNames.push(group.autoScalingGroupName);
    }
    this.groupNames = groupNames;
    stack.tags.setTag("binnacle", props.deployment);
  }

  /** What the ECS agent needs, bound to this one cluster where ECS lets a condition say so. */
  private grantAgent(role: Role, clusterName: string): void {
    const stack = Stack.of(this);
    const clusterArn = stack.formatArn({ service: "ecs", resource: "cluster", resourceName: clusterName });
    role.addToPolicy(
      new PolicyStatement({ actions: ["ecs:RegisterContainerInstance", "ecs:DeregisterContainerInstance"], resources: [clusterArn] }),
    );
    role.addToPolicy(
      new PolicyStatement({
        actions: ["ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState", "ecs:PutAttributes"],
        resources: [stack.formatArn({ service: "ecs", resource: "container-instance", resourceName: `${clusterName}/*` })],
        conditions: { ArnEquals: { "ecs:cluster": clusterArn } },
      }),
    );
    role.addToPolicy(
      new PolicyStatement({
        actions: ["ecs:SubmitContainerStateChange", "ecs:SubmitTaskStateChange", "ecs:SubmitAttachmentStateChanges"],
        resources: [clusterArn],
      }),
    );
    role.addToPolicy(new PolicyStatement({ actions: ["ecs:DiscoverPollEndpoint", "ecr:GetAuthorizationToken"], resources: ["*"] }));
    role.addToPolicy(
      new PolicyStatement({
        actions: ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
        resources: [`arn:${Aws.PARTITION}:ecr:*:${Aws.ACCOUNT_ID}:repository/*`],
      }),
    );
  }
}

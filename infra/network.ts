/** Where nodes and Pods stand: a dual-stack VPC without NAT gateways, load balancers or interface endpoints, so that idle costs nothing. */
import { Fn, Tags } from "aws-cdk-lib";
import {
  CfnEgressOnlyInternetGateway,
  GatewayVpcEndpointAwsService,
  IpAddresses,
  IpProtocol,
  type ISubnet,
  type IVpc,
  Port,
  RouterType,
  SecurityGroup,
  type Subnet,
  SubnetType,
  Vpc,
} from "aws-cdk-lib/aws-ec2";
import { Construct } from "constructs";

export interface NetworkProps {
  readonly deployment: string;
  /** Availability zones, 1 to 3. */
  readonly zones: number;
}

/**
 * Node subnets are public (nodes have a public IPv4 and no ingress). Pod subnets have no IPv4 default route: IPv6 leaves through an
 * egress-only gateway, S3 and DynamoDB through gateway endpoints. IPv4-only destinations are out of reach for Pods.
 */
export class Network extends Construct {
  readonly vpc: IVpc;
  readonly nodeSubnets: readonly ISubnet[];
  readonly podSubnets: readonly ISubnet[];
  readonly nodeSecurityGroup: SecurityGroup;
  readonly podSecurityGroup: SecurityGroup;

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id);
    const vpc = new Vpc(this, "Vpc", {
      ipAddresses: IpAddresses.cidr("10.0.0.0/16"),
      ipProtocol: IpProtocol.DUAL_STACK,
      // By name, so that a stack without a fixed account and Region has as many zones as asked for.
      availabilityZones: Array.from({ length: props.zones }, (_, index) => Fn.select(index, Fn.getAzs())),
      natGateways: 0,
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        { name: "node", subnetType: SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: true, ipv6AssignAddressOnCreation: true },
        { name: "pod", subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 18, ipv6AssignAddressOnCreation: true },
      ],
      gatewayEndpoints: { S3: { service: GatewayVpcEndpointAwsService.S3 }, DynamoDb: { service: GatewayVpcEndpointAwsService.DYNAMODB } },
    });
    this.vpc = vpc as IVpc;
    this.nodeSubnets = this.vpc.publicSubnets;
    this.podSubnets = this.vpc.isolatedSubnets;

    const egress = new CfnEgressOnlyInternetGateway(this, "Ipv6Egress", { vpcId: this.vpc.vpcId });
    for (const subnet of this.podSubnets) {
      (subnet as Subnet).addRoute("Ipv6Egress", {
        routerType: RouterType.EGRESS_ONLY_INTERNET_GATEWAY,
        routerId: egress.ref,
        destinationIpv6CidrBlock: "::/0",
        enablesInternetConnectivity: true,
      });
    }

    this.nodeSecurityGroup = new SecurityGroup(this, "NodeSecurityGroup", {
      vpc: this.vpc,
      description: "Binnacle nodes: no ingress",
      allowAllOutbound: true,
      allowAllIpv6Outbound: true,
    });
    this.podSecurityGroup = new SecurityGroup(this, "PodSecurityGroup", {
      vpc: this.vpc,
      description: "Binnacle Pods: from each other and from nodes",
      allowAllOutbound: true,
      allowAllIpv6Outbound: true,
    });
    this.podSecurityGroup.addIngressRule(this.podSecurityGroup, Port.allTraffic(), "Pods reach each other");
    this.podSecurityGroup.addIngressRule(this.nodeSecurityGroup, Port.allTraffic(), "Nodes reach their Pods");
    Tags.of(this).add("binnacle", props.deployment);
  }
}

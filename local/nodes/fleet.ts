/**
 * The local "EC2 instances": a fixed number of machines of one type, spread over the zones, that register as container instances. They
 * keep their ids over restarts; one that was lost is replaced by another at the next start.
 */
import { type Account, stableId, zones } from "../account.ts";
import type { Ecs } from "../ecs/ecs.ts";
import type { Records } from "../state/records.ts";
import { type Architecture, instanceTypes, registeredMemory } from "./instance-types.ts";
import type { Vpc } from "./vpc.ts";

export interface LocalNode {
  /** `i-0…` */
  readonly ec2InstanceId: string;
  readonly containerInstanceArn: string;
  readonly zone: string;
  readonly privateIpv4Address: string;
}

export interface Fleet {
  readonly nodes: () => readonly LocalNode[];
  /** The machine is terminated, as by a Spot reclaim: its tasks stop, its container instance is gone. */
  terminate(ec2InstanceId: string): void;
  /** The machine's agent can no longer be reached, or can again. Its tasks run on unseen. */
  setConnected(ec2InstanceId: string, connected: boolean): void;
}

interface NodeRecord extends LocalNode {
  /** Machines are counted as they are launched; ids come from it. */
  readonly serial: number;
  readonly type: string;
  readonly state: "running" | "terminated";
}

export interface FleetOptions {
  readonly ecs: Ecs;
  readonly vpc: Vpc;
  readonly records: Records;
  readonly account: Account;
  /** ECS cluster; a machine belongs to exactly one. */
  readonly clusterName: string;
  readonly size: number;
  /** One of {@link instanceTypes}. */
  readonly type: string;
  /** Of what really runs the tasks, where something does; else the type's. */
  readonly architecture?: Architecture | undefined;
  /** Attributes that user data would pass in `ECS_INSTANCE_ATTRIBUTES`. */
  readonly attributes: (node: { readonly privateIpv4Address: string }) => Readonly<Record<string, string>>;
}

/** Disk that the machines say they have, in GiB: the root volume that the stack gives its instances. */
export const nodeDiskGib = 30;

const kind = "ec2.instance";

/** What the machines of the last time were, if there were any: to go on with them unless another type is asked for. */
export const lastType = (records: Records): string | undefined =>
  records
    .all<NodeRecord>(kind)
    .values()
    .find(({ state }) => state === "running")?.type;

/** @throws {RangeError} for an unknown type */
export function startFleet(options: FleetOptions): Fleet {
  const { ecs, vpc, records, account, clusterName, size, type, attributes } = options;
  const machine = instanceTypes[type];
  if (!machine) throw new RangeError(`unknown instance type ${type}`);
  const architecture = options.architecture ?? machine.architecture;
  const known = records.all<NodeRecord>(kind);
  const put = (record: NodeRecord) => {
    records.put(kind, record.ec2InstanceId, record);
    known.set(record.ec2InstanceId, record);
  };
  const running = () => [...known.values()].filter(({ state }) => state === "running").toSorted((one, other) => one.serial - other.serial);

  const terminate = (record: NodeRecord) => {
    put({ ...record, state: "terminated" });
    ecs.terminate(record.containerInstanceArn);
    vpc.release(record.privateIpv4Address);
  };

  /** Registers the machine; a known one comes back under its old ARN. */
  const register = (node: Omit<NodeRecord, "containerInstanceArn">) => {
    const { instance } = ecs.instances.register({
      clusterName,
      ec2InstanceId: node.ec2InstanceId,
      totalResources: [
        { name: "CPU", type: "INTEGER", integerValue: machine.vcpus * 1_024 },
        { name: "MEMORY", type: "INTEGER", integerValue: registeredMemory(machine) },
      ],
      attributes: Object.entries({
        "ecs.availability-zone": node.zone,
        "ecs.instance-type": type,
        "ecs.cpu-architecture": architecture,
        "ecs.os-type": "linux",
        "ecs.os-family": "LINUX",
        "ecs.ami-id": stableId("ami", architecture),
        "ecs.vpc-id": vpc.vpcId,
        "ecs.subnet-id": vpc.subnets.find(({ zone }) => zone === node.zone)?.subnetId ?? "",
        // Present when the account has ENI trunking, as the table of instance types assumes.
        "ecs.awsvpc-trunk-id": stableId("eni", node.ec2InstanceId, "trunk"),
        ...attributes(node),
      }).map(([name, value]) => ({ name, value })),
      eniSlots: machine.eniSlots,
    });
    put({ ...node, containerInstanceArn: instance.containerInstanceArn });
  };

  for (const { privateIpv4Address } of running()) vpc.reserve(privateIpv4Address);
  // Machines do not change their type: they are replaced, as a new launch template replaces them.
  for (const record of running()) if (record.type !== type) terminate(record);
  for (const record of running().slice(size)) terminate(record);
  for (const record of running()) register(record);
  while (running().length < size) {
    const zone = fewest(zones(account), running());
    const privateIpv4Address = vpc.allocate(vpc.subnets.find((subnet) => subnet.zone === zone)?.subnetId ?? "");
    if (privateIpv4Address === undefined) throw new RangeError(`no free address in ${zone}`);
    const serial = known.size;
    register({ serial, ec2InstanceId: stableId("i", clusterName, serial), zone, privateIpv4Address, type, state: "running" });
  }

  const find = (ec2InstanceId: string): NodeRecord => {
    const record = known.get(ec2InstanceId);
    if (record?.state !== "running") throw new RangeError(`no running instance ${ec2InstanceId}`);
    return record;
  };
  return {
    nodes: running,
    terminate: (ec2InstanceId) => terminate(find(ec2InstanceId)),
    setConnected: (ec2InstanceId, connected) => ecs.setConnected(find(ec2InstanceId).containerInstanceArn, connected),
  };
}

/** The zone with the fewest machines; the first of them. */
function fewest(all: readonly string[], nodes: readonly LocalNode[]): string {
  const count = (zone: string) => nodes.filter((node) => node.zone === zone).length;
  return all.reduce((best, zone) => (count(zone) < count(best) ? zone : best));
}

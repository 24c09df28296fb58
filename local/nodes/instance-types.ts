/**
 * The EC2 instance types that local nodes can be: what they have, and how many tasks with a network interface of their own they hold
 * with ENI trunking, by the documented table (the numbers cannot be computed).
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/eni-trunking-supported-instance-types.html
 */

/** As Amazon ECS names it. */
export type Architecture = "arm64" | "x86_64";

export interface InstanceType {
  readonly vcpus: number;
  readonly memoryGib: number;
  readonly architecture: Architecture;
  readonly eniSlots: number;
}

export const instanceTypes: Readonly<Record<string, InstanceType>> = {
  "m5.large": { vcpus: 2, memoryGib: 8, architecture: "x86_64", eniSlots: 10 },
  "m5.xlarge": { vcpus: 4, memoryGib: 16, architecture: "x86_64", eniSlots: 20 },
  "m5.2xlarge": { vcpus: 8, memoryGib: 32, architecture: "x86_64", eniSlots: 40 },
  "m5.4xlarge": { vcpus: 16, memoryGib: 64, architecture: "x86_64", eniSlots: 60 },
  "m7g.medium": { vcpus: 1, memoryGib: 4, architecture: "arm64", eniSlots: 4 },
  "m7g.large": { vcpus: 2, memoryGib: 8, architecture: "arm64", eniSlots: 10 },
  "m7g.xlarge": { vcpus: 4, memoryGib: 16, architecture: "arm64", eniSlots: 20 },
  "m7g.2xlarge": { vcpus: 8, memoryGib: 32, architecture: "arm64", eniSlots: 40 },
  "m7g.4xlarge": { vcpus: 16, memoryGib: 64, architecture: "arm64", eniSlots: 60 },
  "m7g.16xlarge": { vcpus: 64, memoryGib: 256, architecture: "arm64", eniSlots: 120 },
  "m7i-flex.large": { vcpus: 2, memoryGib: 8, architecture: "x86_64", eniSlots: 4 },
  "m7i.8xlarge": { vcpus: 32, memoryGib: 128, architecture: "x86_64", eniSlots: 90 },
};

/** What machines are where nobody said: alike in size, whatever runs on them. */
export const usualType = { arm64: "m7g.large", x86_64: "m5.large" } as const satisfies Readonly<Record<Architecture, string>>;

/**
 * MiB that the agent registers of a machine's memory. The kernel and the platform keep some: a machine of 8 GiB registers 7,985 MiB in
 * AWS' own example, and that share is taken for all of them.
 */
export const registeredMemory = ({ memoryGib }: InstanceType): number => Math.floor((memoryGib * 1_024 * 7_985) / 8_192);

/**
 * How many tasks with a network interface of their own a machine can hold. From tables, because it cannot be computed; where a type
 * stands in none, user data can say it (`podSlotsAttribute`).
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/container-instance-eni.html
 */

/** With interface trunking, as documented per type. */
const trunkedSlots: Readonly<Record<string, number>> = {
  "c5.large": 10,
  "m5.large": 10,
  "m5.xlarge": 20,
  "m5.2xlarge": 40,
  "m5.4xlarge": 60,
  "m7g.medium": 4,
  "m7g.large": 10,
  "m7g.xlarge": 20,
  "m7g.2xlarge": 40,
  "m7g.4xlarge": 60,
  "m7g.16xlarge": 120,
  "m7i-flex.large": 4,
  "m7i.8xlarge": 90,
};

/** Without trunking a machine holds one task less than it has interfaces; within these families that follows from the size. */
const families = "m5 m5a m6i m6a m6g m7i m7a m7g m7i-flex m8g c5 c5a c6i c6a c6g c7i c7a c7g c8g r5 r6i r6a r6g r7i r7a r7g r8g".split(" ");
const slotsBySize: Readonly<Record<string, number>> = {
  medium: 1,
  large: 2,
  xlarge: 3,
  "2xlarge": 3,
  "4xlarge": 7,
  "8xlarge": 7,
  "9xlarge": 7,
  "12xlarge": 7,
  "16xlarge": 14,
  "18xlarge": 14,
  "24xlarge": 14,
  "32xlarge": 14,
  "48xlarge": 14,
};
const burstableFamilies = ["t3", "t3a", "t4g"];
const burstableSlots: Readonly<Record<string, number>> = { nano: 1, micro: 1, small: 1, medium: 2, large: 2, xlarge: 3, "2xlarge": 3 };

/** What even the smallest machine holds: assumed of types that are in no table. */
const leastSlots = 1;

/** @param trunked the machine has a trunk interface */
export function podSlots(instanceType: string | undefined, trunked: boolean): number {
  const [family = "", size = ""] = (instanceType ?? "").split(".");
  const table = families.includes(family) ? slotsBySize : burstableFamilies.includes(family) ? burstableSlots : {};
  return (trunked ? trunkedSlots[instanceType ?? ""] : undefined) ?? table[size] ?? leastSlots;
}

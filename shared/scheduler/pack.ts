/**
 * Packing: Pods of equal rank onto as few Nodes as possible. Several orders are tried and the best result is kept, because no single
 * order is safe when CPU and memory are both scarce. Deterministic: the same input gives the same placement.
 */

/** Pods that are alike to the packer. */
export interface PackClass {
  /** Amount of each dimension. */
  readonly requests: Float64Array;
  /** Nodes on which they may stand at all, in the order of the Node list, with how much they are liked there. */
  readonly candidates: readonly { readonly node: number; readonly preference: number }[];
  /** Host ports exclude each other on a Node; the packer asks before it places. */
  readonly fitsPorts?: (node: number, placed: readonly number[]) => boolean;
}

export interface PackInput {
  /** Class of each Pod, in queue order. */
  readonly pods: readonly number[];
  readonly classes: readonly PackClass[];
  readonly capacity: readonly Float64Array[];
  readonly free: readonly Float64Array[];
  /** Nodes on which something already runs that would keep them. */
  readonly inUse: readonly boolean[];
}

/** Node of each Pod, or -1. */
export type Placement = Int32Array;

/** Above this many looks at a Node, one order must do: the answer should not take seconds. */
const patienceLooks = 20_000_000;

export function pack(input: PackInput): Placement {
  const total = sumOf(input.capacity);
  const share = (podClass: number, dimension: number) => (input.classes[podClass]?.requests[dimension] ?? 0) / (total[dimension] || 1);
  const dimensions = [...total.keys()];
  const largestShare = (podClass: number) => Math.max(...dimensions.map((dimension) => share(podClass, dimension)));
  const sumOfShares = (podClass: number) => dimensions.reduce((sum, dimension) => sum + share(podClass, dimension), 0);

  const orders = [largestShare, sumOfShares, (podClass: number) => share(podClass, 0), () => 0];
  const looks = input.pods.reduce((sum, podClass) => sum + (input.classes[podClass]?.candidates.length ?? 0), 0);
  let best: Attempt | undefined;
  for (const weigh of looks * orders.length > patienceLooks ? orders.slice(0, 1) : orders) {
    const weights = input.classes.map((_, podClass) => weigh(podClass));
    const weight = (pod: number) => weights[input.pods[pod] ?? 0] ?? 0;
    const order = [...input.pods.keys()].toSorted((one, other) => weight(other) - weight(one) || one - other);
    const attempt = place(input, order);
    if (!best || better(attempt, best)) best = attempt;
  }
  return best?.placement ?? new Int32Array(0);
}

interface Attempt {
  readonly placement: Placement;
  readonly unplaced: number;
  readonly opened: number;
  readonly liked: number;
}

const better = (one: Attempt, other: Attempt): boolean =>
  one.unplaced - other.unplaced < 0 ||
  (one.unplaced === other.unplaced && (one.liked > other.liked || (one.liked === other.liked && one.opened < other.opened)));

function sumOf(vectors: readonly Float64Array[]): Float64Array {
  const total = new Float64Array(vectors[0]?.length ?? 0);
  for (const vector of vectors) for (let index = 0; index < total.length; index++) total[index]! += vector[index]!;
  return total;
}

function place(input: PackInput, order: readonly number[]): Attempt {
  const free = input.free.map((vector) => vector.slice());
  const inUse = [...input.inUse];
  const placement = new Int32Array(input.pods.length).fill(-1);
  const placed: number[][] = input.capacity.map(() => []);
  let unplaced = 0;
  let opened = 0;
  let liked = 0;
  for (const pod of order) {
    const podClass = input.pods[pod]!;
    const found = bestNode(input, podClass, free, inUse, placed);
    if (!found) {
      unplaced++;
      continue;
    }
    const { requests } = input.classes[podClass]!;
    const left = free[found.node]!;
    for (let dimension = 0; dimension < requests.length; dimension++) left[dimension]! -= requests[dimension]!;
    placed[found.node]!.push(podClass);
    placement[pod] = found.node;
    liked += found.preference;
    if (!inUse[found.node]) opened++;
    inUse[found.node] = true;
  }
  return { placement, unplaced, opened, liked };
}

/** Liked most, then in use already, then: the fullest Node in use, or the largest empty one; then the first. */
function bestNode(
  input: PackInput,
  podClass: number,
  free: readonly Float64Array[],
  inUse: readonly boolean[],
  placed: readonly (readonly number[])[],
): { readonly node: number; readonly preference: number } | undefined {
  const { requests, candidates, fitsPorts } = input.classes[podClass]!;
  let best: { node: number; preference: number } | undefined;
  let bestScore = 0;
  for (const candidate of candidates) {
    const { node, preference } = candidate;
    if (best && preference < best.preference) continue;
    const left = free[node]!;
    const capacity = input.capacity[node]!;
    let fits = true;
    let used = 0;
    for (let dimension = 0; dimension < requests.length; dimension++) {
      const remaining = left[dimension]! - requests[dimension]!;
      if (remaining < 0 && requests[dimension]! > 0) {
        fits = false;
        break;
      }
      if (capacity[dimension]! > 0) used += 1 - remaining / capacity[dimension]!;
    }
    if (!fits || (fitsPorts && !fitsPorts(node, placed[node]!))) continue;
    const score = inUse[node] ? 1_000 + used : -used;
    if (!best || preference > best.preference || score > bestScore) {
      best = candidate;
      bestScore = score;
    }
  }
  return best;
}

/** How many requests one process works on at once, and how they are shared among users: who is loud must not make others wait. */

export type RequestClass = "read" | "write";

export interface RequestBudget {
  /** @returns what gives the place back; undefined when there is none for this user now */
  enter(cluster: string, user: string, kind: RequestClass): (() => void) | undefined;
  inFlight(kind: RequestClass): number;
}

export interface RequestBudgetOptions {
  readonly reads: number;
  readonly writes: number;
}

/** What a Kubernetes API server allows by default. @see k8s.io/apiserver/pkg/server, MaxRequestsInFlight */
export const usualRequestBudget: RequestBudgetOptions = { reads: 400, writes: 200 };

/** A user alone may have all places. When half of them are taken, nobody gets more than an equal share. */
export function processRequestBudget({ reads, writes }: RequestBudgetOptions): RequestBudget {
  const pools = { read: pool(reads), write: pool(writes) };
  return {
    enter: (cluster, user, kind) => pools[kind].enter(JSON.stringify([cluster, user])),
    inFlight: (kind) => pools[kind].taken(),
  };
}

function pool(places: number) {
  const byUser = new Map<string, number>();
  let taken = 0;
  return {
    taken: () => taken,
    enter(user: string): (() => void) | undefined {
      const own = byUser.get(user) ?? 0;
      const users = byUser.size + (own === 0 ? 1 : 0);
      const isTight = taken >= places / 2 && own >= Math.max(1, Math.floor(places / users));
      if (taken >= places || isTight) return undefined;
      taken++;
      byUser.set(user, own + 1);
      let isGivenBack = false;
      return () => {
        if (isGivenBack) return;
        isGivenBack = true;
        taken--;
        const left = (byUser.get(user) ?? 1) - 1;
        if (left === 0) byUser.delete(user);
        else byUser.set(user, left);
      };
    },
  };
}

/** DefaultTolerationSeconds: a Pod stays five minutes on a node that is not ready or not reachable, unless it says otherwise. */
import type { Toleration } from "../api/generated/types.ts";
import type { AdmissionPlugin } from "./plugin.ts";
import { podOf, podsOn } from "./pods.ts";

const tolerationSeconds = 300;
const taints = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: "DefaultTolerationSeconds",
  handles: podsOn("CREATE", "UPDATE"),
  admit: (request) => {
    const { spec } = podOf(request);
    const given = spec.tolerations ?? [];
    const missing = taints.filter((key) => !given.some((toleration) => covers(toleration, key)));
    if (missing.length === 0) return;
    spec.tolerations = [...given, ...missing.map((key) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds }))];
  },
};

const covers = ({ key, effect }: Toleration, taint: string): boolean => (!key || key === taint) && (!effect || effect === "NoExecute");

/** Binnacle's own version, as `/version` names it behind Kubernetes'. */
import manifest from "../../package.json" with { type: "json" };

export const version: string = manifest.version;

/** Text forms of the things that the runtime keeps in maps. */
import type { KindRef } from "../api/client.ts";
import type { ObjectKey } from "../api/objects.ts";

/** `namespace/name`; `/name` for cluster-scoped objects. */
export const keyText = ({ namespace, name }: ObjectKey): string => `${namespace}/${name}`;

/** `group/version/plural`: a kind in one of its versions. */
export const kindText = ({ group, version, plural }: KindRef): string => `${group}/${version}/${plural}`;

/** An object as a client gave it, before anything was checked: what its type requires may still be missing. */
export type Given<T> = { [K in keyof T]?: T[K] | undefined };

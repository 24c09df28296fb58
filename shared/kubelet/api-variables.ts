/** The variables by which programs in containers find the API (client-go's in-cluster configuration reads the first two). */

/** @param address `HOST:PORT`, IPv6 in brackets */
export function apiVariables(address: string): Readonly<Record<string, string>> {
  const [, bracketed, plain, port = ""] = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(address) ?? [];
  const host = bracketed ?? plain ?? "";
  if (host === "") throw new TypeError(`${JSON.stringify(address)} is not HOST:PORT`);
  const url = `tcp://${bracketed ? `[${host}]` : host}:${port}`;
  return {
    KUBERNETES_SERVICE_HOST: host,
    KUBERNETES_SERVICE_PORT: port,
    KUBERNETES_SERVICE_PORT_HTTPS: port,
    KUBERNETES_PORT: url,
    [`KUBERNETES_PORT_${port}_TCP`]: url,
    [`KUBERNETES_PORT_${port}_TCP_ADDR`]: host,
    [`KUBERNETES_PORT_${port}_TCP_PORT`]: port,
    [`KUBERNETES_PORT_${port}_TCP_PROTO`]: "tcp",
  };
}

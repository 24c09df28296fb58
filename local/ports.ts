/** Finds out whether the API can listen where it is asked to, before anything else is started. */

import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { UserError } from "./user-error.ts";

/**
 * @param port 0 for any free one
 * @returns the port @throws {UserError} when it cannot be listened on
 */
export async function claimPort(host: string, port: number): Promise<number> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port, exclusive: true }, resolve);
    });
    return (server.address() as AddressInfo).port;
  } catch (error) {
    throw refusal(host, port, error as NodeJS.ErrnoException);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

function refusal(host: string, port: number, error: NodeJS.ErrnoException): UserError {
  switch (error.code) {
    case "EADDRINUSE":
      return new UserError(`Port ${port} on ${host} is in use. Stop what uses it, or take another one with --port.`, { cause: error });
    case "EACCES":
      return new UserError(`Port ${port} may not be used without more rights. Take one above 1023 with --port.`, { cause: error });
    case "EADDRNOTAVAIL":
    case "EAFNOSUPPORT":
    case "EINVAL":
      return new UserError(`${host} is no address of this machine. Give another --host.`, { cause: error });
    default:
      return new UserError(`Port ${port} on ${host} cannot be listened on (${error.code}).`, { cause: error });
  }
}

/** Runs inside a network namespace: hands what comes in at a Unix socket, which the outside can reach, to a port, which it cannot. */
import { connect, createServer } from "node:net";

const [socket = "", port = ""] = process.argv.slice(2);

createServer((outer) => {
  const inner = connect(Number(port), "127.0.0.1");
  outer.on("error", () => inner.destroy());
  inner.on("error", () => outer.destroy());
  outer.pipe(inner).pipe(outer);
}).listen(socket);

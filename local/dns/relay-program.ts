/**
 * Stands in a container on the Pods' network and listens on port 53 where the control plane itself may not: hands every DNS message on
 * to it, after the four bytes of the address that it came from. Runs by itself, outside the project: imports nothing of ours.
 *
 * Arguments: the address to listen on, and the address and port of the control plane's DNS server.
 */
import { createSocket } from "node:dgram";
import { connect, createServer, type Socket } from "node:net";

const [listenAddress = "", serverAddress = "", serverPort = ""] = process.argv.slice(2);
const dnsPort = 53;
/** Longer than the control plane waits for the machine's resolvers. */
const answerMs = 10_000;

const bytesOf = (address: string): Buffer =>
  Buffer.from(
    address
      .replace(/^::ffff:/u, "")
      .split(".")
      .map(Number),
  );

const udp = createSocket("udp4");
udp.on("message", (message, { address, port }) => {
  const onward = createSocket("udp4");
  const timer = setTimeout(() => onward.close(), answerMs);
  const done = () => {
    clearTimeout(timer);
    onward.close();
  };
  onward.once("error", done);
  onward.once("message", (answer) => {
    udp.send(answer, port, address);
    done();
  });
  onward.connect(Number(serverPort), serverAddress, () => onward.send(Buffer.concat([bytesOf(address), message])));
});
const tcp = createServer((client: Socket) => {
  const onward = connect({ host: serverAddress, port: Number(serverPort) });
  onward.write(bytesOf(client.remoteAddress ?? ""));
  client.pipe(onward);
  onward.pipe(client);
  const end = () => {
    client.destroy();
    onward.destroy();
  };
  for (const socket of [client, onward]) {
    socket.on("error", end);
    socket.on("close", end);
  }
});
// In this order: whoever finds the one finds the other.
udp.bind({ address: listenAddress, port: dnsPort }, () => tcp.listen({ host: listenAddress, port: dnsPort }));

/** Says in one line that this Node is too old. Plain JavaScript, and loaded ahead of everything else: an old Node cannot read the rest. */
const oldest = [24, 15];

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
  console.error(
    `Binnacle needs Node.js ${oldest.join(".")} or newer; this is ${process.versions.node}. On Linux 'npm ci' brings one; elsewhere install it from your package manager.`,
  );
  process.exit(1);
}

/* Says in one line that this Node is too old. Plain JavaScript, so that an old Node can read it. */
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 24 || (major === 24 && minor < 15)) {
  console.error(
    `Binnacle needs Node.js 24.15 or newer; this is ${process.versions.node}. On Linux 'npm ci' brings one; elsewhere install it from your package manager.`,
  );
  process.exit(1);
}

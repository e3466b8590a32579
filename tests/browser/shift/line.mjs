// A network cable: what a browser sends goes through here to the server, byte by byte, until somebody
// pulls it out.

import { connect, createServer } from "node:net";

/** A cable to this port of this machine. */
export async function cable(port) {
  const lines = new Set();
  let isOut = false;
  const server = createServer((near) => {
    if (isOut) return near.destroy();
    const far = connect(port, "127.0.0.1");
    for (const [end, other] of [
      [near, far],
      [far, near],
    ]) {
      lines.add(end);
      end.pipe(other);
      end.on("error", () => {});
      end.on("close", () => {
        lines.delete(end);
        other.destroy();
      });
    }
    return undefined;
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: server.address().port,
    /** What was under way is lost, and nothing comes through. */
    pull: () => {
      isOut = true;
      for (const line of lines) line.destroy();
    },
    plug: () => {
      isOut = false;
    },
    end: () => {
      for (const line of lines) line.destroy();
      server.close();
    },
  };
}

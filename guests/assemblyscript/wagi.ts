// Wagi guest in AssemblyScript: shows the request, through the names of Node.js that its WASI shim offers.

function variable(name: string): string {
  const env = process.env;
  return env.has(name) ? env.get(name) : "";
}

function bodyBytes(): i32 {
  const buffer = new ArrayBuffer(1024);
  let total: i32 = 0;
  for (let count = process.stdin.read(buffer); count > 0; count = process.stdin.read(buffer)) total += count;
  return total;
}

const body = bodyBytes();
process.stdout.write("content-type: text/plain\nx-guest: as-wagi\n\n");
process.stdout.write(variable("REQUEST_METHOD") + " " + variable("PATH_INFO") + "\n");
process.stdout.write("args=" + process.argv.join(",") + "\nbody=" + body.toString() + "\n");
process.stderr.write("as guest done\n");

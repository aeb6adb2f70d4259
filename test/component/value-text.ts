// Values of components as JSON, and back.
//
// A result without a payload is the same with `val` and without.

type Tagged =
  | { readonly $: "undefined" }
  | { readonly $: "bigint" | "number" | "bytes"; readonly value: string };

export function toJson(value: unknown): unknown {
  if (value === undefined) return { $: "undefined" };
  if (typeof value === "bigint") return { $: "bigint", value: String(value) };
  if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0)))
    return { $: "number", value: Object.is(value, -0) ? "-0" : String(value) };
  if (value instanceof Uint8Array) return { $: "bytes", value: Buffer.from(value).toString("hex") };
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== "object" || value === null) return value;
  const isResult = "tag" in value && (value.tag === "ok" || value.tag === "err");
  const entries = Object.entries(value).filter(([, each]) => each !== undefined || !isResult);
  return Object.fromEntries(entries.map(([key, each]) => [key, toJson(each)]));
}

export function fromJson(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(fromJson);
  if (typeof json !== "object" || json === null) return json;
  // Only `toJson` writes objects with this key: names of fields have no such sign.
  if ("$" in json) return untagged(json as Tagged);
  return Object.fromEntries(Object.entries(json).map(([key, each]) => [key, fromJson(each)]));
}

function untagged(tagged: Tagged): unknown {
  switch (tagged.$) {
    case "undefined":
      return undefined;
    case "bigint":
      return BigInt(tagged.value);
    case "number":
      return Number(tagged.value);
    case "bytes":
      return new Uint8Array(Buffer.from(tagged.value, "hex"));
  }
}

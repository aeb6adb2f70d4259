import assert from "node:assert/strict";
import { test } from "node:test";
import { CallMeter } from "./call-meter.ts";
import { OutboundError } from "./outbound-error.ts";

const fault = (expected: string) => (error: unknown) =>
  error instanceof OutboundError && error.fault === expected;

test("CallMeter lets a call send as many requests as it may, and not one more", () => {
  const meter = new CallMeter({ outboundRequestsMax: 2, outboundBytesMax: 100 });
  meter.countRequest(1);
  meter.countRequest(1);
  assert.throws(() => meter.countRequest(1), fault("too-many-requests"));
});

test("CallMeter counts what is sent and what is received together", () => {
  const meter = new CallMeter({ outboundRequestsMax: 10, outboundBytesMax: 100 });
  meter.countRequest(40);
  meter.countResponse(60);
  assert.throws(() => meter.countRequest(1), fault("too-many-requests"));
  assert.throws(() => meter.countResponse(1), fault("response-too-large"));
});

// What every server of the benchmark answers, whatever makes it.

export const BODY = "Hello from Spindle\n";
export const CONTENT_TYPE = "text/plain";

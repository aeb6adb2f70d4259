// Numbers that both generations of the ABI give to methods and errors (`wit/ephemeral/http-types.wit`).

export const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"] as const;

const NUMBERS: ReadonlyMap<string, number> = new Map(METHODS.map((method, number) => [method, number]));

/** Undefined for a method that the ABI has no number for. */
export function methodNumber(method: string): number | undefined {
  return NUMBERS.get(method);
}

export const HTTP_ERROR = {
  SUCCESS: 0,
  DESTINATION_NOT_ALLOWED: 1,
  INVALID_URL: 2,
  REQUEST_ERROR: 3,
  RUNTIME_ERROR: 4,
  TOO_MANY_REQUESTS: 5,
} as const;

export type HttpErrorNumber = (typeof HTTP_ERROR)[keyof typeof HTTP_ERROR];

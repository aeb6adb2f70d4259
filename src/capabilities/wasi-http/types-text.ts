// The text of wasi:http/types. Order and names of cases and fields are those of the published text.

import { Version, type VersionName } from "./versions.ts";

const METHOD_AND_SCHEME = `
  variant method { get, head, post, put, delete, connect, options, trace, patch, other(string) }
  variant scheme { HTTP, HTTPS, other(string) }
`;

const ERROR_CODE = `
  variant error-code {
    DNS-timeout, DNS-error(DNS-error-payload), destination-not-found, destination-unavailable,
    destination-IP-prohibited, destination-IP-unroutable,
    connection-refused, connection-terminated, connection-timeout, connection-read-timeout,
    connection-write-timeout, connection-limit-reached,
    TLS-protocol-error, TLS-certificate-error, TLS-alert-received(TLS-alert-received-payload),
    HTTP-request-denied, HTTP-request-length-required, HTTP-request-body-size(option<u64>),
    HTTP-request-method-invalid, HTTP-request-URI-invalid, HTTP-request-URI-too-long,
    HTTP-request-header-section-size(option<u32>), HTTP-request-header-size(option<field-size-payload>),
    HTTP-request-trailer-section-size(option<u32>), HTTP-request-trailer-size(field-size-payload),
    HTTP-response-incomplete, HTTP-response-header-section-size(option<u32>),
    HTTP-response-header-size(field-size-payload), HTTP-response-body-size(option<u64>),
    HTTP-response-trailer-section-size(option<u32>), HTTP-response-trailer-size(field-size-payload),
    HTTP-response-transfer-coding(option<string>), HTTP-response-content-coding(option<string>),
    HTTP-response-timeout, HTTP-upgrade-failed, HTTP-protocol-error,
    loop-detected, configuration-error, internal-error(option<string>)
  }
  record DNS-error-payload { rcode: option<string>, info-code: option<u16> }
  record TLS-alert-received-payload { alert-id: option<u8>, alert-message: option<string> }
  record field-size-payload { field-name: option<string>, field-size: option<u32> }
  http-error-code: func(err: borrow<io-error>) -> option<error-code>;
`;

/** The same in all versions. */
const INCOMING = `
  type headers = fields;
  type trailers = fields;
  type status-code = u16;
  resource incoming-request {
    method: func() -> method;
    path-with-query: func() -> option<string>;
    scheme: func() -> option<scheme>;
    authority: func() -> option<string>;
    headers: func() -> headers;
    consume: func() -> result<incoming-body>;
  }
  resource incoming-response {
    status: func() -> status-code;
    headers: func() -> headers;
    consume: func() -> result<incoming-body>;
  }
  resource incoming-body {
    %stream: func() -> result<input-stream>;
    finish: static func(this: incoming-body) -> future-trailers;
  }
`;

export function typesText(version: typeof Version.FINAL | typeof Version.NOVEMBER): string {
  const isFinal = version === Version.FINAL;
  const unit = isFinal ? "" : "-ms";
  const trailers = "result<option<trailers>, error-code>";
  const timeout = (name: string) => `
      ${name}-timeout${unit}: func() -> option<duration>;
      set-${name}-timeout${unit}: func(duration: option<duration>) -> result;`;
  return `interface wasi:http/types@${version} {
    ${uses(version)}
    use wasi:clocks/monotonic-clock@${version}.{duration};
    use wasi:io/error@${version}.{error as io-error};
    ${METHOD_AND_SCHEME}
    ${ERROR_CODE}
    variant header-error { invalid-syntax, forbidden, immutable }
    resource fields {
      constructor();
      from-list: static func(entries: list<tuple<string, list<u8>>>) -> result<fields, header-error>;
      get: func(name: string) -> list<list<u8>>;
      ${isFinal ? "has: func(name: string) -> bool;" : ""}
      set: func(name: string, value: list<list<u8>>) -> result<_, header-error>;
      delete: func(name: string) -> result<_, header-error>;
      append: func(name: string, value: list<u8>) -> result<_, header-error>;
      entries: func() -> list<tuple<string, list<u8>>>;
      clone: func() -> fields;
    }
    ${INCOMING}
    resource outgoing-request {
      constructor(headers: headers);
      body: func() -> result<outgoing-body>;
      method: func() -> method;
      set-method: func(method: method) -> result;
      path-with-query: func() -> option<string>;
      set-path-with-query: func(path-with-query: option<string>) -> result;
      scheme: func() -> option<scheme>;
      set-scheme: func(scheme: option<scheme>) -> result;
      authority: func() -> option<string>;
      set-authority: func(authority: option<string>) -> result;
      headers: func() -> headers;
    }
    resource request-options {
      constructor();
      ${timeout("connect")}
      ${timeout("first-byte")}
      ${timeout("between-bytes")}
    }
    resource response-outparam {
      set: static func(param: response-outparam, response: result<outgoing-response, error-code>);
    }
    resource future-trailers {
      subscribe: func() -> pollable;
      get: func() -> option<${isFinal ? `result<${trailers}>` : trailers}>;
    }
    resource outgoing-response {
      constructor(headers: headers);
      status-code: func() -> status-code;
      set-status-code: func(status-code: status-code) -> result;
      headers: func() -> headers;
      body: func() -> result<outgoing-body>;
    }
    resource outgoing-body {
      write: func() -> result<output-stream>;
      finish: static func(this: outgoing-body, trailers: option<trailers>) -> result<_, error-code>;
    }
    resource future-incoming-response {
      subscribe: func() -> pollable;
      get: func() -> option<result<result<incoming-response, error-code>>>;
    }
  }`;
}

/** The first draft: most of what can fail has no way to say so. */
export const OCTOBER_TYPES_TEXT = `interface wasi:http/types@${Version.OCTOBER} {
  ${uses(Version.OCTOBER)}
  ${METHOD_AND_SCHEME}
  variant error {
    invalid-url(string), timeout-error(string), protocol-error(string), unexpected-error(string)
  }
  resource fields {
    constructor(entries: list<tuple<string, list<u8>>>);
    get: func(name: string) -> list<list<u8>>;
    set: func(name: string, value: list<list<u8>>);
    delete: func(name: string);
    append: func(name: string, value: list<u8>);
    entries: func() -> list<tuple<string, list<u8>>>;
    clone: func() -> fields;
  }
  ${INCOMING}
  resource outgoing-request {
    constructor(
      method: method, path-with-query: option<string>, scheme: option<scheme>, authority: option<string>,
      headers: borrow<headers>
    );
    write: func() -> result<outgoing-body>;
  }
  record request-options {
    connect-timeout-ms: option<u32>, first-byte-timeout-ms: option<u32>, between-bytes-timeout-ms: option<u32>
  }
  resource response-outparam {
    set: static func(param: response-outparam, response: result<outgoing-response, error>);
  }
  resource future-trailers {
    subscribe: func() -> pollable;
    get: func() -> option<result<trailers, error>>;
  }
  resource outgoing-response {
    constructor(status-code: status-code, headers: borrow<headers>);
    write: func() -> result<outgoing-body>;
  }
  resource outgoing-body {
    write: func() -> result<output-stream>;
    finish: static func(this: outgoing-body, trailers: option<trailers>);
  }
  resource future-incoming-response {
    get: func() -> option<result<result<incoming-response, error>>>;
    subscribe: func() -> pollable;
  }
}`;

function uses(version: VersionName): string {
  return `use wasi:io/streams@${version}.{input-stream, output-stream};
    use wasi:io/poll@${version}.{pollable};`;
}

export function handlerText(version: VersionName): string {
  const error = version === Version.OCTOBER ? "error" : "error-code";
  return `interface wasi:http/outgoing-handler@${version} {
    use wasi:http/types@${version}.{outgoing-request, request-options, future-incoming-response, ${error}};
    handle: func(
      request: outgoing-request, options: option<request-options>
    ) -> result<future-incoming-response, ${error}>;
  }`;
}

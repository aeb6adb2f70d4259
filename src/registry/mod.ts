// The door of the registry room: applications that are kept by others, and got from them.

export {
  type BindleContents,
  type FetchOptions,
  type GroupFile,
  groupFiles,
} from "./bindle/bindle-contents.ts";
export {
  type BindleId,
  digestOfBindleId,
  formatBindleId,
  parseBindleId,
} from "./bindle/bindle-id.ts";
export { BindleCache, type OpenBindleOptions, storeUnusable } from "./bindle/cache.ts";
export { BindleClient, type BindleClientOptions, type BindleQuery } from "./bindle/client.ts";
export type { Credentials } from "./bindle/credentials.ts";
export {
  DOCUMENT_BYTES_MAX,
  type DocumentFormat,
  formatDocument,
  formatOfMediaType,
  MEDIA_TYPES,
  parseDocument,
} from "./bindle/document.ts";
export {
  type Annotations,
  BINDLE_VERSION,
  type BindleSpec,
  type Conditions,
  type Group,
  type Invoice,
  type Label,
  labelsByDigest,
  type Parcel,
  type Signature,
  type SignatureRole,
} from "./bindle/invoice.ts";
export { formatInvoice, parseInvoice } from "./bindle/invoice-text.ts";
export {
  createSecretKey,
  findSecretKey,
  type KeyEntry,
  type Keyring,
  loadKeyring,
  loadSecretKeys,
  publicKeyOf,
  readKeyring,
  type SecretKey,
  type SecretKeys,
  saveKeyring,
  saveSecretKeys,
  withKeys,
} from "./bindle/keyring.ts";
export { type LoginPrompt, LoginSession, login } from "./bindle/login.ts";
export { checked, ParcelMismatch } from "./bindle/parcel-check.ts";
export type { ParcelContent } from "./bindle/parcel-content.ts";
export { type CreatedInvoice, type Matches, readCreated, readMatches } from "./bindle/protocol.ts";
export {
  type BindleSource,
  type PushOptions,
  type PushResult,
  pushBindle,
  type TransferProgress,
} from "./bindle/push.ts";
export { isDigest, readInvoice } from "./bindle/read-invoice.ts";
export { checkSignature, SignatureError, signInvoice } from "./bindle/signature.ts";
export { openStandaloneBindle, type StandaloneBindle, writeStandaloneBindle } from "./bindle/standalone.ts";
export { fileStateOf, systemCodeOf } from "./bindle/system-error.ts";
export { ShapeError } from "./bindle/table-reader.ts";
export type { Patience, TlsTrust, TransportOptions } from "./bindle/transport.ts";
export {
  checkSignatures,
  parseStrategy,
  type Trust,
  type VerificationStrategy,
  verifyInvoice,
} from "./bindle/verification.ts";
export {
  removeAbandoned,
  removeUnfinishedNow,
  syncDirectory,
  writeToDisk,
  writeWholeFile,
} from "./bindle/whole-file.ts";

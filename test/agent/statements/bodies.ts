import { CLIENT_BROKEN } from './client-broken.ts';
import { CLIENT_FAN_OUT } from './client-fan-out.ts';
import { CLIENT_LIMITS } from './client-limits.ts';
import { CLIENT_RETRY } from './client-retry.ts';
import { COMMON } from './common.ts';
import { GRPC_SERVER } from './grpc-server.ts';
import { HTTP_SERVER } from './http-server.ts';
import { JSON_ENCODING } from './json.ts';
import type { Bodies, Body } from './support/target.ts';

const ALL: Bodies = {
  ...COMMON,
  ...GRPC_SERVER,
  ...HTTP_SERVER,
  ...JSON_ENCODING,
  ...CLIENT_RETRY,
  ...CLIENT_BROKEN,
  ...CLIENT_LIMITS,
  ...CLIENT_FAN_OUT,
};

/** The test of a statement: the same for every program. */
export function bodyOf(number: number): Body {
  const body = ALL[number];
  if (body === undefined) throw new Error(`statement ${number} has no test`);
  return body;
}

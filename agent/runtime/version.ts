/** Version of the agent: the package's, set here because a bundle has no package.json beside it. test/agent/telemetry compares both. */
export const VERSION = '0.1.0';

/** Sent to the next hop, in the form that OTLP asks for. */
export const USER_AGENT = `otlp-stack-agent/${VERSION}`;

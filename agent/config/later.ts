/** Reasons that several components give for what they do not have yet, or do not need. */
export const NO_SERVER_TLS = 'TLS on a listener is not supported yet; remove the key, or terminate TLS before the agent';
export const NO_AUTH = 'authentication is not supported yet; remove the key';
export const NO_MIDDLEWARES = 'this agent has no middleware extensions; remove the key';
export const GO_BUFFERS = 'sizes Go buffers; Node sizes its own';

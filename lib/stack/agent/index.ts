export { AgentConfig, type AgentConfigProps, type AgentOptions, type AgentPorts } from './agent-config';
export type { AgentDeploymentOptions, AgentProps } from './agent-container';
export { AgentMemory, type AgentMemoryProps } from './agent-memory';
export { AgentWorkload } from './agent-workload';
export { AgentDaemon, type AgentDaemonProps } from './daemon';
export { AgentGateway, type AgentGatewayProps } from './gateway';
export { AgentSidecar, type AgentSidecarOptions, type AgentSidecarProps } from './sidecar';

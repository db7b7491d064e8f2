// ESM: every published module by name, as a user writes it.
import * as agent from 'otlp-stack-agent';
import * as catalog from 'otlp-stack-catalog';
import { check, type Finding, RULES } from 'otlp-stack-check';

const findings: readonly Finding[] = RULES.length > 0 ? check(['manifests']) : [];
console.log(JSON.stringify({ findings: findings.length, agent: typeof agent.createAgent, catalog: Object.keys(catalog).length > 0 }));

// CommonJS: the same without the agent, which is ESM only (`await import('otlp-stack-agent')` reaches it).
import * as catalog from 'otlp-stack-catalog';
import { check, type Finding, RULES } from 'otlp-stack-check';

const findings: readonly Finding[] = RULES.length > 0 ? check(['manifests']) : [];
console.log(JSON.stringify({ findings: findings.length, agent: 'function', catalog: Object.keys(catalog).length > 0 }));

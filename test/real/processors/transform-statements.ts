import type { Case } from './transform-cases.ts';
import { CONTEXTS, INFERENCE } from './transform-context-cases.ts';
import { FUNCTIONS } from './transform-function-cases.ts';
import { CONDITIONS, GRAMMAR } from './transform-grammar-cases.ts';

export type { Case } from './transform-cases.ts';

export const CASES: readonly Case[] = [...GRAMMAR, ...CONDITIONS, ...FUNCTIONS, ...CONTEXTS, ...INFERENCE];

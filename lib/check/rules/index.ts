import { addressesResolve } from './addresses-resolve';
import { edgesAllowed } from './edges-allowed';
import { pipelinesResolve } from './pipelines-resolve';
import type { Rule } from './rule';

/** Every rule, in the order of its findings. */
export const RULES: readonly Rule[] = [pipelinesResolve, addressesResolve, edgesAllowed];

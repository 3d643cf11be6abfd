import { checkOptions, type Limits } from '../../src/options.ts';

/** Every limit as it is unless an operator says otherwise. */
export const LIMITS: Limits = checkOptions({});

export { QueryDialect } from './dialect';
export { printPromDuration } from './duration';
export { Join } from './join';
export { Match } from './match';
export { Query, RangeQuery } from './query';
export { Window } from './window';

/** The folders that hold our own sources, relative to the root. */
export const SOURCE_FOLDERS = ['lib', 'agent', 'apps', 'test', 'scripts'];
/** What no rule about hand-written sources applies to: build outputs and files that a committed script writes. */
export const GENERATED =
  /(^|\/)(build|node_modules)\/|\.generated\.|^dist\/|^lib\/catalog\/programs\/|^test\/schemas\/.*\.json$|^docs\/reference\//;

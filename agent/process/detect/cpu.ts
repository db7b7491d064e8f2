/** What Linux says of its first processor, in the words of the attributes; x86 alone, others write /proc/cpuinfo in other words. */
export interface Cpu {
  readonly vendorId: string;
  readonly family: string;
  readonly modelId: string;
  readonly modelName: string;
  readonly stepping: number;
  /** KiB. */
  readonly cacheL2Size: number;
}

/** Reads the first block of /proc/cpuinfo; undefined where there is none. */
export function parseCpuInfo(text: string): Cpu | undefined {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const key = line.slice(0, colon).trim();
    if (key === 'processor' && fields.has(key)) break;
    fields.set(key, line.slice(colon + 1).trim());
  }
  if (!fields.has('vendor_id')) return undefined;
  const read = (key: string): string => fields.get(key) ?? '';
  return {
    vendorId: read('vendor_id'),
    family: read('cpu family'),
    modelId: read('model'),
    modelName: read('model name'),
    stepping: Number.parseInt(read('stepping'), 10) || 0,
    cacheL2Size: Number.parseInt(read('cache size'), 10) || 0,
  };
}

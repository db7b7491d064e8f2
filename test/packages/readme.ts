/** The first program that a reader of the README meets: its first ```ts block, exactly. Throws where there is none. */
export function firstExample(readme: string): string {
  const block = /^```(?:ts|typescript)\b[^\n]*\n([\s\S]*?)^```\s*$/m.exec(readme)?.[1];
  if (block === undefined) throw new Error('README.md has no ```ts block: its first one is the program that users copy');
  return block;
}

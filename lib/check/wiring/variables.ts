type Environment = ReadonlyMap<string, string>;

/**
 * Fills in the variables of a container's environment, in the spellings of Kubernetes `$(NAME)`, the Collector `${env:NAME}` and `${NAME}` (with
 * `:-default`), and Fluentd `#{ENV['NAME']}` (with `|| 'default'`).
 *
 * @returns undefined where a variable has no value in the manifest: it comes from a field, a Secret or the image
 */
export function fillIn(text: string, environment: Environment): string | undefined {
  let known = true;
  const filled = text.replace(
    /\$\((\w+)\)|\$\{(?:env:)?(\w+)(?::-([^}]*))?\}|#\{ENV\[['"](\w+)['"]\](?:\s*\|\|\s*['"]([^'"]*)['"])?\}/g,
    (_, kubernetes?: string, collector?: string, collectorDefault?: string, ruby?: string, rubyDefault?: string) => {
      const value = environment.get(kubernetes ?? collector ?? ruby ?? '') ?? collectorDefault ?? rubyDefault;
      if (value === undefined) known = false;
      return value ?? '';
    },
  );
  return known ? filled : undefined;
}

/** The environment with references among its own values filled in; variables that lack a value are left out. */
export function resolved(environment: Environment): Environment {
  const result = new Map<string, string>();
  // Kubernetes fills in only what stands before.
  for (const [name, value] of environment) {
    const filled = fillIn(value, result);
    if (filled !== undefined) result.set(name, filled);
  }
  return result;
}

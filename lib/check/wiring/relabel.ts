import { asList, asNumber, asObject, asString } from '../read/json';

type Labels = { readonly [name: string]: string };

/**
 * Prometheus' relabelling, as far as it decides which targets stay and under what address.
 *
 * @see https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
 * @returns undefined where a rule drops the target
 */
export function relabel(labels: Labels, rules: unknown): Labels | undefined {
  let current: Labels = labels;
  for (const rule of asList(rules)) {
    const next = step(current, asObject(rule));
    if (next === undefined) return undefined;
    current = next;
  }
  return current;
}

function step(labels: Labels, rule: { readonly [key: string]: unknown }): Labels | undefined {
  const separator = asString(rule.separator) ?? ';';
  const value = asList(rule.source_labels)
    .map((name) => labels[String(name)] ?? '')
    .join(separator);
  const pattern = fullMatch(String(rule.regex ?? '(.*)'));
  const target = asString(rule.target_label) ?? '';
  switch (String(rule.action ?? 'replace').toLowerCase()) {
    case 'keep':
      return pattern.test(value) ? labels : undefined;
    case 'drop':
      return pattern.test(value) ? undefined : labels;
    case 'keepequal':
      return labels[target] === value ? labels : undefined;
    case 'dropequal':
      return labels[target] === value ? undefined : labels;
    case 'replace': {
      const match = pattern.exec(value);
      if (match === null) return labels;
      const name = expand(target, match);
      const replacement = expand(String(rule.replacement ?? '$1'), match);
      return replacement === '' ? withoutLabel(labels, name) : { ...labels, [name]: replacement };
    }
    case 'lowercase':
      return { ...labels, [target]: value.toLowerCase() };
    case 'uppercase':
      return { ...labels, [target]: value.toUpperCase() };
    case 'labelmap': {
      const mapped = Object.entries(labels).flatMap(([name, content]): [string, string][] => {
        const match = pattern.exec(name);
        return match === null ? [] : [[expand(String(rule.replacement ?? '$1'), match), content]];
      });
      return { ...labels, ...Object.fromEntries(mapped) };
    }
    case 'labeldrop':
      return Object.fromEntries(Object.entries(labels).filter(([name]) => !pattern.test(name)));
    case 'labelkeep':
      return Object.fromEntries(Object.entries(labels).filter(([name]) => pattern.test(name)));
    case 'hashmod': // which shard scrapes a target is not a question of whether it is scraped
      return { ...labels, [target]: String((asNumber(rule.modulus) ?? 1) - 1) };
    default:
      return labels;
  }
}

/** Prometheus anchors its expressions on both sides, and lets the dot match a newline. */
function fullMatch(regex: string): RegExp {
  try {
    return new RegExp(`^(?:${regex})$`, 's');
  } catch {
    // RE2 has spellings that this engine lacks; promtool judges the expression itself.
    return /^$/;
  }
}

function expand(template: string, match: RegExpExecArray): string {
  return template.replace(/\$(?:\$|(\d+)|\{(\w+)\})/g, (whole, number?: string, name?: string) => {
    if (whole === '$$') return '$';
    const key = number ?? name ?? '';
    return (/^\d+$/.test(key) ? match[Number(key)] : match.groups?.[key]) ?? '';
  });
}

function withoutLabel(labels: Labels, name: string): Labels {
  const { [name]: _, ...rest } = labels;
  return rest;
}

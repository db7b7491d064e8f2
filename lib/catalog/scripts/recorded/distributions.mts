import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ComponentFact, ComponentKind } from '../../model.ts';
import { requiredModuleFolder } from './go-module.mts';

const ROOTS = ['go.opentelemetry.io/collector', 'github.com/open-telemetry/opentelemetry-collector-contrib'];
const KINDS: readonly ComponentKind[] = ['receiver', 'processor', 'exporter', 'connector', 'extension', 'provider'];

interface Report {
  readonly name: string;
  readonly components: { readonly [kind: string]: readonly string[] };
}

/**
 * The components of upstream's published distributions. Each of the two repositories reports what it gives to a distribution in
 * reports/distributions/NAME.yaml, so the two together are the whole list; the signals of a component are not in it.
 */
export function readDistributions(version: string): { readonly complete: readonly string[]; readonly listed: readonly ComponentFact[] } {
  const members = new Map<string, { kind: ComponentKind; type: string; distributions: string[] }>();
  const complete = new Set<string>();
  const former = new Map<string, string>();
  for (const root of ROOTS) {
    const folder = requiredModuleFolder(root, `v${version}`);
    const reports = join(folder, 'reports/distributions');
    for (const file of readdirSync(reports)) {
      const report = parse(readFileSync(join(reports, file), 'utf8')) as Report;
      complete.add(report.name);
      for (const kind of KINDS) {
        for (const type of report.components[kind] ?? []) {
          const member = members.get(`${kind}/${type}`) ?? { kind, type, distributions: [] };
          member.distributions.push(report.name);
          members.set(`${kind}/${type}`, member);
        }
      }
    }
    const changelog = join(folder, 'CHANGELOG.md');
    if (existsSync(changelog)) for (const [key, name] of readRenames(readFileSync(changelog, 'utf8'))) former.set(key, name);
  }
  const listed = [...members.values()].map(({ kind, type, distributions }): ComponentFact => {
    const formerType = former.get(`${kind}/${type}`);
    return {
      kind,
      type,
      ...(formerType === undefined ? {} : { formerType }),
      stability: {},
      distributions: distributions.sort(),
      source: `upstream@v${version}`,
    };
  });
  return { complete: [...complete].sort(), listed };
}

/**
 * Renamed components keep their old name as an alias (https://github.com/open-telemetry/opentelemetry-collector/issues/14208); the
 * change log says so in a line of its own: "`receiver/udp_log`: Rename `udplog` receiver to `udp_log` with deprecated alias `udplog`".
 * Where the line does not name the old type, it is the new one without underscores.
 */
function readRenames(changelog: string): [string, string][] {
  return changelog.split('\n').flatMap((line): [string, string][] => {
    const entry = line.match(/^- `(receiver|processor|exporter|connector|extension)\/(\w+)`: (.*)$/);
    const [, kind = '', type = '', words = ''] = entry ?? [];
    if (!/\brename\b|snake case compliant name/i.test(words)) return [];
    const named = words.match(/alias `(\w+)`|from `(\w+)` to|Rename `?(\w+)`? (?:receiver|exporter|processor|connector)/i);
    const old = named?.slice(1).find((each) => each !== undefined);
    const formerType = old === undefined || old === type ? type.replaceAll('_', '') : old;
    return formerType === type ? [] : [[`${kind}/${type}`, formerType]];
  });
}

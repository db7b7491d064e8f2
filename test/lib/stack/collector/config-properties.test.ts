import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { printYaml } from '../../../../lib/stack/model/yaml.ts';
import { configuration } from './support/arbitraries.ts';

// biome-ignore lint/suspicious/noExplicitAny: a configuration is read as JSON
type Json = any;

/** Calls `look` with every configuration that can be constructed; what is refused is refused by an error of ours, never by accident. */
function forAnyConfiguration(look: (render: () => Json) => void): void {
  fc.assert(
    fc.property(configuration, (make) => {
      let config: ReturnType<typeof make>;
      try {
        config = make();
      } catch (error) {
        expect((error as Error).constructor).toBe(Error);
        fc.pre(false);
        return;
      }
      look(() => config.renderConfig());
    }),
    { numRuns: 300, maxSkipsPerRun: 200 },
  );
}

it('every name in a pipeline is defined, and everything that is defined is used', () => {
  forAnyConfiguration((render) => {
    const config = render();
    const pipelines: Json[] = Object.values(config.service.pipelines);
    const connectors = Object.keys(config.connectors ?? {});
    const used = (key: string): Set<string> => new Set(pipelines.flatMap((pipeline) => pipeline[key] ?? []));
    const defined = (key: string): string[] => Object.keys(config[key] ?? {});
    for (const section of ['receivers', 'exporters']) {
      const names = [...used(section)].filter((id) => !connectors.includes(id));
      expect(names.sort()).toEqual(defined(section).sort());
      expect([...used(section)].filter((id) => connectors.includes(id)).sort()).toEqual(connectors.sort());
    }
    expect([...used('processors')].sort()).toEqual(defined('processors').sort());
    expect([...(config.service.extensions ?? [])].sort()).toEqual(defined('extensions').sort());
  });
});

it('is the same when it is rendered twice and when it is read back from YAML', () => {
  forAnyConfiguration((render) => {
    expect(render()).toEqual(render());
    expect(parse(printYaml(render()))).toEqual(render());
  });
});

it('holds no null and no key in camelCase', () => {
  forAnyConfiguration((render) => {
    const text = JSON.stringify(render());
    expect(text).not.toContain('null');
    expect(text.match(/"[a-z]+[A-Z][A-Za-z]*":/g) ?? []).toEqual([]);
  });
});

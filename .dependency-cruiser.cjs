// Who may import whom. The two halves of the project meet only in YAML: the model prints, the checks read what was printed and know
// nothing of the model, so that a bug in the printer cannot hide itself; the agent knows nothing of Kubernetes objects.

/** A workspace is reached by its folder or, through node_modules, by its name: both count. */
const workspace = (folder, name) => `^${folder}/|(^|/)node_modules/${name}/|^${name}(/|$)`;
const stack = workspace('lib/stack', 'otlp-stack');
const check = workspace('lib/check', 'otlp-stack-check');
const agent = workspace('agent', 'otlp-stack-agent');
const apps = '^apps/|(^|/)node_modules/otlp-stack-(cli|sample-service)/|^otlp-stack-(cli|sample-service)$';
const anyOf = (...patterns) => patterns.join('|');

const never = (name, comment, from, to) => ({ name, comment, severity: 'error', from: { path: from }, to: { path: to } });

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    never('stack-alone', 'lib/stack imports neither checks nor agent nor programs.', '^lib/stack/', anyOf(check, agent, apps)),
    never('check-alone', 'lib/check imports neither model nor agent nor programs.', '^lib/check/', anyOf(stack, agent, apps)),
    never('agent-alone', 'The agent imports neither model nor checks nor programs.', '^agent/', anyOf(stack, check, apps)),
    never('catalog-alone', 'lib/catalog is data: it imports none of us.', '^lib/catalog/', anyOf(stack, check, agent, apps)),
    never(
      'no-kubernetes-outside-the-model',
      'Who only lints or only runs the agent installs no cdk8s.',
      '^(lib/check|lib/catalog|agent)/',
      '(^|/)node_modules/(cdk8s[^/]*|constructs)/|^(cdk8s|constructs)',
    ),
    {
      name: 'no-tests-in-programs',
      comment:
        'Published code never imports tests or scripts. The scripts that ask the real programs for the facts of lib/catalog are not published.',
      severity: 'error',
      from: { path: '^(lib|agent|apps)/', pathNot: '^lib/catalog/scripts/' },
      to: { path: '^(test|scripts)/' },
    },
    {
      name: 'no-cycle',
      comment: 'Two files that need each other are one idea or three. Type-only imports do not count: they vanish.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'declared',
      comment: 'Published code imports only what the package.json of its own workspace declares.',
      severity: 'error',
      from: { path: '^(lib|agent|apps)/', pathNot: ['/bin/[^/]+\\.js$', '^lib/catalog/scripts/', '^agent/build-[a-z]+\\.mjs$'] },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'],
        dependencyTypesNot: ['npm', 'npm-peer', 'npm-optional'],
      },
    },
    {
      name: 'resolvable',
      comment: 'An import that leads nowhere; shims lead to the build.',
      severity: 'error',
      from: { pathNot: '/bin/[^/]+\\.js$' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '/build/'] },
    exclude: { path: ['^test/packages/platform-repo/'] },
    // Types count for the directions: a type that crosses the border is a border crossing.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'test/tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
};

import tseslint from 'typescript-eslint';

/** Biome does format and lint; this one exists for the rules that need types: promises that nobody waits for, and switches with a hole. */
export default tseslint.config(
  { ignores: ['**/build/**', '**/node_modules/**', '**/*.generated.*', 'dist/**', 'test/packages/platform-repo/**'] },
  // Comments that switch off a rule nobody has are left-overs.
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts', '**/*.mts'],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-for-in-array': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ['agent/**/*.ts', 'lib/**/*.ts'],
    ignores: ['agent/main.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'exit', message: 'A library never ends its process; in the agent only main.ts may.' },
      ],
    },
  },
);

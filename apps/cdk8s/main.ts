/**
 * Prints the reference stack: the production profile into the output directory, the development profile below it.
 * `cdk8s synth` gives the directory by CDK8S_OUTDIR.
 */
import { join } from 'node:path';
import { App } from 'cdk8s';
import { OtlpStack, Profile } from 'otlp-stack';

const outdir = process.env.CDK8S_OUTDIR ?? 'dist';

const production = new App({ outdir });
new OtlpStack(production, 'otlp');
production.synth();

const development = new App({ outdir: join(outdir, 'development') });
new OtlpStack(development, 'otlp', { profile: Profile.DEVELOPMENT });
development.synth();

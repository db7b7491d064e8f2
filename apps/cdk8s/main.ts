/** Prints the reference stack into the folder that `cdk8s synth` names by CDK8S_OUTDIR. */
import { App } from 'cdk8s';
import { OtlpStack } from 'otlp-stack';

const app = new App({ outdir: process.env.CDK8S_OUTDIR ?? 'dist' });
new OtlpStack(app, 'otlp');
app.synth();

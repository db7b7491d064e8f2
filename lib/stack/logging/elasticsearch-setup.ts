import { createHash } from 'node:crypto';
import { Size } from 'cdk8s';
import type { Construct } from 'constructs';
import { Component } from '../model/component';
import { ConfigContent } from '../model/config-content';
import type { IEndpoint } from '../model/endpoint';
import { Env } from '../model/env';
import { type Image, Images } from '../model/images';
import { Cpu } from '../model/quantities';
import { WorkloadKind } from '../model/workload-kind';
import type { LogIndex } from './log-index';

const DIRECTORY = '/etc/elasticsearch-setup';

/** An account of Elasticsearch with exactly the privileges that one program needs. */
export interface ElasticsearchAccount {
  /** The user, its role and the key of its password in the Secret of users. */
  readonly name: string;
  /** @default [] */
  readonly cluster?: string[];
  /** Index patterns. */
  readonly indices: string[];
  /** Privileges on them. */
  readonly privileges: string[];
}

export interface ElasticsearchSetupProps {
  readonly endpoint: IEndpoint;
  readonly index: LogIndex;
  readonly accounts: ElasticsearchAccount[];
  /** The Secret with the passwords; `elastic` among its keys. */
  readonly usersSecretName: string;
  /** @default 'elasticsearch-setup' */
  readonly name?: string;
  /** @default 'observability' */
  readonly namespace?: string;
  /** @default 'otlp-stack' */
  readonly instance?: string;
  /** An image with `sh` and `curl`. @default - as `Images.pinned()` has it */
  readonly image?: Image;
}

/**
 * A Job that installs the lifecycle policy, the index template, roles and users. Every step is a PUT of the whole thing, so that
 * running it twice changes nothing. The Job's own name carries a hash of what it installs, as a Job cannot be changed.
 */
export class ElasticsearchSetup extends Component {
  constructor(scope: Construct, id: string, props: ElasticsearchSetupProps) {
    const files = requests(props);
    const hash = createHash('sha256')
      .update(JSON.stringify([files, SCRIPT, props.endpoint.url]))
      .digest('hex')
      .slice(0, 8);
    const name = props.name ?? 'elasticsearch-setup';
    super(scope, id, {
      name,
      workloadName: `${name}-${hash}`,
      namespace: props.namespace ?? 'observability',
      instance: props.instance,
      role: 'setup',
      kind: WorkloadKind.JOB,
      userId: 100,
    });
    const container = this.addContainer({
      name: 'setup',
      image: props.image ?? Images.pinned().curl,
      resources: { cpuRequest: Cpu.millis(20), memoryRequest: Size.mebibytes(32), memoryLimit: Size.mebibytes(64) },
      command: ['sh', `${DIRECTORY}/setup.sh`],
      env: [
        Env.value('ELASTICSEARCH_URL', props.endpoint.url),
        Env.value('SETUP_DIRECTORY', DIRECTORY),
        Env.secret('ELASTIC_PASSWORD', props.usersSecretName, 'elastic'),
        ...props.accounts.map((account) => Env.secret(passwordVariable(account), props.usersSecretName, account.name)),
      ],
    });
    this.connectTo(props.endpoint, 'setup');
    this.addConfigFile({ directory: DIRECTORY, file: 'setup.sh', content: ConfigContent.text(SCRIPT) }, container);
    for (const [file, body] of Object.entries(files)) {
      this.addConfigFile({ directory: DIRECTORY, file, content: ConfigContent.jsonOf(body) }, container);
    }
  }
}

/** `<what>.<name>.json`: the body of one PUT. */
function requests(props: ElasticsearchSetupProps): { [file: string]: object } {
  const files: { [file: string]: object } = {
    [`policy.${props.index.name}.json`]: props.index.policy(),
    [`template.${props.index.name}.json`]: props.index.template(),
  };
  for (const account of props.accounts) {
    files[`role.${account.name}.json`] = {
      cluster: account.cluster ?? [],
      indices: [{ names: account.indices, privileges: account.privileges }],
    };
  }
  return files;
}

function passwordVariable(account: ElasticsearchAccount): string {
  return `PASSWORD_${account.name.replaceAll('-', '_')}`;
}

/** Fixed text: everything that differs between stacks stands in the JSON files and the environment. */
const SCRIPT = `set -eu
put() {
  curl --silent --show-error --fail-with-body --retry 60 --retry-delay 5 --retry-all-errors --max-time 30 \\
    --user "elastic:$ELASTIC_PASSWORD" --header 'Content-Type: application/json' \\
    --request PUT "$ELASTICSEARCH_URL/$1" --data-binary @-
  echo " $1"
}
name() { basename "$1" .json | cut -d . -f 2-; }
json() { printf %s "$1" | sed 's/[\\\\"]/\\\\&/g'; }
cd "$SETUP_DIRECTORY"
for file in policy.*.json; do put "_ilm/policy/$(name "$file")" <"$file"; done
for file in template.*.json; do put "_index_template/$(name "$file")" <"$file"; done
for file in role.*.json; do
  account=$(name "$file")
  put "_security/role/$account" <"$file"
  variable=PASSWORD_$(echo "$account" | tr - _)
  eval "password=\\$$variable"
  printf '{"password":"%s","roles":["%s"]}' "$(json "$password")" "$account" | put "_security/user/$account"
done
`;

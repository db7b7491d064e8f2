// @peculiar/x509 needs the metadata polyfill of its dependency injection before anything else of it is loaded.
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { SecretReference } from './secret-references.ts';

const CERTIFICATE_KEYS = ['ca.crt', 'tls.crt', 'tls.key'];
const YEAR_MS = 365 * 24 * 3_600_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** One Secret as `kubectl apply` takes it. */
export interface SecretManifest {
  readonly apiVersion: 'v1';
  readonly kind: 'Secret';
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: { readonly [key: string]: string } };
  readonly type: 'Opaque';
  readonly stringData: { readonly [key: string]: string };
}

/**
 * Random values for `references`. A Secret of one name has one set of values in every namespace, as the two sides of a password must
 * agree. User names are `admin`, addresses a placeholder; certificate keys get a certificate of a CA made for this Secret, valid for a year for the Services of those who use it.
 */
export async function secretManifests(references: readonly SecretReference[]): Promise<SecretManifest[]> {
  const values = new Map<string, { [key: string]: string }>();
  for (const reference of references) {
    const present = values.get(reference.name) ?? {};
    if (reference.keys.some((key) => CERTIFICATE_KEYS.includes(key)) && !present['tls.key']) {
      const twins = references.filter(({ name }) => name === reference.name);
      Object.assign(
        present,
        await certificate(
          reference.name,
          twins.flatMap(({ dnsNames }) => dnsNames),
        ),
      );
    }
    for (const key of reference.keys) {
      present[key] ??= valueFor(key);
    }
    values.set(reference.name, present);
  }
  return references.map(({ name, namespace, keys }) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels: { 'app.kubernetes.io/part-of': 'otlp-stack', 'app.kubernetes.io/managed-by': 'otlp-stack-cli' } },
    type: 'Opaque',
    stringData: Object.fromEntries(keys.map((key) => [key, values.get(name)?.[key] ?? ''])),
  }));
}

/** Printed for what only its owner knows; `.invalid` leads nowhere for certain (RFC 2606). */
export const PLACEHOLDER_URL = 'https://replace-me.invalid/';

/** Keys that name an address of somebody else: a webhook, a chat. */
export function isAddress(key: string): boolean {
  return /(^|[-_.])url$/.test(key);
}

function valueFor(key: string): string {
  if (isAddress(key)) {
    return PLACEHOLDER_URL;
  }
  return /(^|[-_.])user(name)?$/.test(key) ? 'admin' : password();
}

/** 192 bits in characters that need no quoting in JSON, URLs, YAML or a shell. */
function password(): string {
  return randomBytes(24).toString('base64url').replaceAll(/[-_]/g, 'x');
}

async function certificate(name: string, dnsNames: readonly string[]): Promise<{ [key: string]: string }> {
  x509.cryptoProvider.set(webcrypto);
  const [caKeys, keys] = await Promise.all([generateKeys(), generateKeys()]);
  const dates = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + YEAR_MS) };
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...dates,
    name: `CN=${name} CA`,
    keys: caKeys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  const leaf = await x509.X509CertificateGenerator.create({
    ...dates,
    subject: `CN=${name}`,
    issuer: ca.subject,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension([...dnsNames, 'localhost'].map((value) => ({ type: 'dns', value }))),
    ],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return { 'ca.crt': ca.toString('pem'), 'tls.crt': leaf.toString('pem'), 'tls.key': pem('PRIVATE KEY', key) };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

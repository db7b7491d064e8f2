import { generateKeyPairSync, sign } from 'node:crypto';

/** DER (X.690): a tag, the length of what follows, and that. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const TAG = { INTEGER: 2, BIT_STRING: 3, OCTET_STRING: 4, OID: 6, UTF8: 12, UTC_TIME: 23, BOOLEAN: 1, SEQUENCE: 0x30, SET: 0x31 } as const;
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(TAG.SEQUENCE, ...parts);
const oid = (hex: string): Buffer => der(TAG.OID, Buffer.from(hex, 'hex'));
const TRUE = der(TAG.BOOLEAN, Buffer.from([0xff]));

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));
const COMMON_NAME = oid('550403');
const BASIC_CONSTRAINTS = oid('551d13');
const SUBJECT_ALT_NAME = oid('551d11');

const utcTime = (at: Date): Buffer => der(TAG.UTC_TIME, Buffer.from(`${at.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));

/** A certificate of one day for `localhost` and 127.0.0.1 that vouches for itself (RFC 5280), in PEM, with its key. */
export function selfSigned(): { readonly key: string; readonly cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(der(TAG.SET, sequence(COMMON_NAME, der(TAG.UTF8, Buffer.from('localhost')))));
  const hour = 3_600_000;
  const extensions = sequence(
    sequence(BASIC_CONSTRAINTS, TRUE, der(TAG.OCTET_STRING, sequence(TRUE))),
    sequence(
      SUBJECT_ALT_NAME,
      der(TAG.OCTET_STRING, sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])))),
    ),
  );
  const toSign = sequence(
    der(0xa0, der(TAG.INTEGER, Buffer.from([2]))), // version 3
    der(TAG.INTEGER, Buffer.from([1])),
    ECDSA_WITH_SHA256,
    name,
    sequence(utcTime(new Date(Date.now() - hour)), utcTime(new Date(Date.now() + 24 * hour))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  );
  const signature = der(TAG.BIT_STRING, Buffer.from([0]), sign('sha256', toSign, privateKey));
  const certificate = sequence(toSign, ECDSA_WITH_SHA256, signature).toString('base64');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.replace(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`,
  };
}

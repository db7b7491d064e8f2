import { describe, expect, it } from 'vitest';
import { attribute } from '../kit/otlp.ts';
import { evaluate, holds, logItem, mistakeIn } from './support.ts';

describe('converters of OTTL', () => {
  it.each([
    ['Concat(["a", 1, nil, true, 1.5, 0x0aff, [1, "b"], {"k": "<"}], "|")', 'a|1|<nil>|true|1.5|0aff|[1,"b"]|{"k":"\\u003c"}'],
    ['Substring("aä€😀", 1, 2)', 'ä'],
    ['Substring("aä€😀", 1, 3)', 'ä'],
    ['Substring("abc", 2, 2)', 'failure: a text of 3 bytes has no 2 bytes from 2 on'],
    ['Len("ä€😀")', 9n],
    ['Len([1, 2])', 2n],
    ['Len({"a": 1})', 1n],
    ['Index("a€b", "b")', 4n],
    ['Int("12")', 12n],
    ['Int("0x1")', undefined],
    ['Int(-1.9)', -1n],
    ['Int(1.0e300)', -(2n ** 63n)],
    ['Int(true)', 1n],
    ['Double("1e3")', 1000],
    ['Double("-Inf")', Number.NEGATIVE_INFINITY],
    ['Bool("F")', false],
    ['String(9223372036854775807)', '9223372036854775807'],
    ['String(1.0e21)', '1e+21'],
    ['String(0.0000001)', '1e-07'],
    ['ParseInt("-0x1F", 0)', -31n],
    ['ParseInt("z", 36)', 35n],
    ['ToLowerCase("ΑΣ İ ẞ")', 'ασ i ß'],
    ['ToUpperCase("straße ᾳ ŉ")', 'STRAßE ᾼ ŉ'],
    ['ConvertCase("HTTPServer2Id", "snake")', 'http_server_2_id'],
    ['ConvertCase("some_name-of.things 2day", "camel")', 'SomeNameOfThings2Day'],
    ['Trim("xxaxx", "x")', 'a'],
    ['Split("a,b", ",")', ['a', 'b']],
    ['Split("", ",")', ['']],
    ['Split("ä😀", "")', ['ä', '😀']],
    ['SHA256("abc")', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    ['MD5("")', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['FNV("hello")', -6615550055289275125n],
    ['Hex(1)', '0000000000000001'],
    ['Hex(1.5)', '3ff8000000000000'],
    ['Base64Decode("YWI=\\n")', 'ab'],
    ['Base64Decode("YWI")', 'failure: this is no base64'],
    ['Base64Encode("??>", "base64-raw-url")', 'Pz8-'],
    [
      'ExtractPatterns("user=joe id=", "user=(?P<user>\\\\w+)( id=(?P<id>\\\\d*))?")',
      new Map([
        ['user', 'joe'],
        ['id', ''],
      ]),
    ],
    [
      'ParseJSON("{\\"a\\": [1, null, true], \\"__proto__\\": 2}")',
      new Map<string, unknown>([
        ['a', [1, undefined, true]],
        ['__proto__', 2],
      ]),
    ],
    ['ParseJSON("1")', 'failure: this JSON is neither an object nor an array'],
    ['ParseJSON("[\\"\\\\ud800\\"]")', ['\ufffd']],
    ['IsValidLuhn("4111 1111 1111 1111")', true],
    ['Sort([3, 1.5, 2], "desc")', [3n, 2n, 1.5]],
    ['Sort(["b", true, "a"])', ['a', 'b', true]],
    ['UnixSeconds(Unix(-1, 5))', -1n],
    ['Seconds(Duration("-1h0.5s"))', -3600.5],
    ['Milliseconds(Duration("1.5s"))', 1500n],
    ['ToKeyValueString({"b": "x y", "a": 1}, sort_output=true)', 'a=1 b="x y"'],
    [
      String.raw`ParseKeyValue("a=1  b='x y'\t c=\"\" d=e=f")`,
      new Map([
        ['a', '1'],
        ['b', 'x y'],
        ['c', ''],
        ['d', 'e=f'],
      ]),
    ],
    ['ParseKeyValue("a:1!!b:2", ":", "!!")["b"]', '2'],
    ['ParseKeyValue("a")', 'failure: "a" has no "=" in it'],
    ['ParseKeyValue("a=\'1")', 'failure: a quote is never closed'],
    ['ParseKeyValue("")', 'failure: an empty text has no keys and values'],
    ['IsInCIDR("10.1.2.3", ["192.168.0.0/16", "10.0.0.0/8"])', true],
    ['IsInCIDR("::ffff:10.1.2.3", ["10.1.2.3/32"])', true],
    ['IsInCIDR("10.1.2.3", ["::ffff:10.1.0.0/112"])', true],
    ['IsInCIDR("10.1.2.3", ["::/0"])', false],
    ['IsInCIDR("2001:db8::5", ["2001:db8::/32"])', true],
    ['IsInCIDR("2001:db9::5", ["2001:db8::/32"])', false],
    ['IsInCIDR("fe80::1%eth0", ["fe80::/10"])', false],
    ['IsInCIDR("010.1.2.3", ["10.0.0.0/8"])', false],
    ['IsInCIDR("10.1.2.3", [])', false],
    ['IsInCIDR("10.1.2.3", [Concat(["10.0.0.0", "33"], "/")])', 'failure: "10.0.0.0/33" is no network, as 10.0.0.0/8'],
    ['1 / 0', 'failure: division by 0'],
    ['9223372036854775807 + 1', -(2n ** 63n)],
    ['-7 / 2', -3n],
    ['7 / 2.0', 3.5],
    ['attributes["k"] + 1', 'failure: cannot calculate nil + int64'],
  ])('%s', (expression, value) => {
    expect(evaluate(expression)).toEqual(value);
  });

  it('fails for JSON that is nested without end, and for numbers that no double holds', () => {
    const item = logItem({ body: { stringValue: '['.repeat(5000) + ']'.repeat(5000) } });
    expect(evaluate('ParseJSON(body)', item)).toBe('failure: this JSON is nested more than 200 deep');
    expect(evaluate('ParseJSON("[1e999]")')).toBe('failure: a number in this JSON does not fit a double');
  });

  it('an index that would make a list of millions is a failure', () => {
    expect(evaluate('1', logItem())).toBe(1n);
    const item = logItem({ attributes: [{ key: 'n', value: { intValue: '1000000000' } }] });
    expect(mistakeIn('set(attributes["list"][attributes["n"]], 1)')).toBeUndefined();
    expect(evaluate('attributes["n"]', item)).toBe(1_000_000_000n);
  });

  it('a literal that no converter takes is an error at start', () => {
    expect(mistakeIn('set(name, SHA256(1))')).toBe('column 18: SHA256: target wants a text: expected string but got int64');
    expect(mistakeIn('set(attributes["a"], Double("x"))')).toBe(
      'column 29: Double: target wants something with a number: "x" is no double',
    );
    expect(mistakeIn('set("a", name)')).toBe('column 5: set: target wants a path, as attributes["key"] or name');
    expect(mistakeIn('set(name, ConvertCase(name, "kebab"))')).toBe(
      'column 11: ConvertCase: there is no case "kebab", only lower, upper, snake, camel',
    );
    expect(mistakeIn('limit(attributes, 1, ["a", "b"])')).toBe('column 1: limit: the limit 1 is below the number of priority keys, 2');
    expect(mistakeIn('delete_matching_keys(attributes, "(")')).toMatch(
      /^column 1: delete_matching_keys: "\(" is no regular expression of Go: missing closing \)/,
    );
    expect(mistakeIn('set(name, Substring(name, 1))')).toBe(
      'column 11: Substring(target, start, length, utf8_safe?) is called with 2 arguments',
    );
    expect(mistakeIn('set(name, Split(name, sep=","))')).toBe('column 23: Split(target, delimiter) has no parameter sep');
  });

  it('a function that nobody has names the nearest, one that only the Collector has says so', () => {
    expect(mistakeIn('set(name, SHA265(name))')).toBe('column 11: unknown function SHA265; did you mean SHA256?');
    expect(mistakeIn('sett(name, "a")')).toBe('column 1: unknown function sett; did you mean set?');
    expect(mistakeIn('set(name, ExtractGrokPatterns(name, "x"))')).toMatch(
      /^column 11: the function ExtractGrokPatterns is not supported by this agent; it has Base64Decode/,
    );
  });
});

describe('comparisons of OTTL', () => {
  it.each([
    ['1 == 1.0', true],
    ['1 < 1.5', true],
    ['9007199254740993 == 9007199254740992.0', true],
    ['"a" < "b"', true],
    ['"\uffff" < "😀"', true],
    ['"1" == 1', false],
    ['"1" != 1', true],
    ['"1" < 1', false],
    ['true > false', true],
    ['nil == nil', true],
    ['nil <= nil', true],
    ['nil < nil', false],
    ['nil != 1', true],
    ['nil < 1', false],
    ['0x01 < 0x02', true],
    ['0x0102 == 0x0102', true],
    ['[1, "a"] == [1, "a"]', true],
    ['[1] == [1.0]', false],
    ['[1] < [2]', false],
    ['{"a": [1]} == {"a": [1]}', true],
    ['{"a": 1} == {"a": 1.0}', false],
    ['Duration("60s") == Duration("1m")', true],
    ['Unix(1) < Unix(2)', true],
    ['Unix(2) - Unix(1) >= Duration("1s")', true],
    ['trace_id == TraceID("00000000000000000000000000000000")', true],
    ['span_id != SpanID(0x0000000000000001)', true],
    ['body == nil and attributes["x"] == nil', true],
    ['body["a"] == 1', 'failure: a body that is a nil cannot be indexed'],
    ['Len(body) > 1 or true', true],
    ['Len(body) > 1', 'failure: Len wants a text, a list, a map or bytes'],
    ['IsInt(body["x"])', 'failure: a body that is a nil cannot be indexed'],
    ['IsInt(attributes["x"]) or IsString(resource.attributes["k"])', true],
    ['severity_number == SEVERITY_NUMBER_UNSPECIFIED and severity_text == ""', true],
    ['instrumentation_scope.name == "lib" and resource.attributes["k"] == "v"', true],
  ])('%s', (condition, result) => {
    expect(holds(condition, logItem({}, [attribute('k', 'v')]))).toBe(result);
  });
});

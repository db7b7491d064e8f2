import type { Argument, Call, Condition, Key, MathNode, Path, Statement, Value } from './ast.ts';

/** A parsed statement as text: what the parser reads back as the same. For messages and tests. */
export function printStatement({ editor, where }: Statement): string {
  return where === undefined ? printCall(editor) : `${printCall(editor)} where ${printCondition(where)}`;
}

export function printCondition(condition: Condition): string {
  switch (condition.kind) {
    case 'or':
    case 'and':
      return condition.conditions.map(printPart).join(` ${condition.kind} `);
    case 'not':
      return `not ${printPart(condition.condition)}`;
    case 'compare':
      return `${printValue(condition.left)} ${condition.operator} ${printValue(condition.right)}`;
    case 'constant':
      return String(condition.value);
    case 'converter':
      return printCall(condition.call);
  }
}

/** In parentheses where the grammar needs them: a chain inside of a chain, and `not` inside of `not`. */
function printPart(condition: Condition): string {
  return ['or', 'and', 'not'].includes(condition.kind) ? `(${printCondition(condition)})` : printCondition(condition);
}

export function printValue(value: Value): string {
  switch (value.kind) {
    case 'nil':
      return 'nil';
    case 'float':
      return printFloat(value.value);
    case 'int':
      return String(value.value);
    case 'path':
      return printPath(value.path);
    case 'converter':
      return printCall(value.call);
    case 'bytes':
      return `0x${Buffer.from(value.value).toString('hex')}`;
    case 'string':
      return quote(value.value);
    case 'boolean':
      return String(value.value);
    case 'enum':
      return value.name;
    case 'map':
      return `{${value.entries.map(([key, entry]) => `${quote(key)}: ${printValue(entry)}`).join(', ')}}`;
    case 'list':
      return `[${value.items.map(printValue).join(', ')}]`;
    case 'math':
      // Parentheses keep it a calculation, also where it is a single number.
      return `(${printMath(value.expression)})`;
  }
}

function printMath(node: MathNode): string {
  switch (node.kind) {
    case 'operand':
      return printValue(node.operand);
    case 'sign':
      return `${node.sign}${node.of.kind === 'operand' ? printMath(node.of) : `(${printMath(node.of)})`}`;
    case 'binary':
      return `${printOperand(node.left)} ${node.operator} ${printOperand(node.right)}`;
  }
}

function printOperand(node: MathNode): string {
  return node.kind === 'binary' ? `(${printMath(node)})` : printMath(node);
}

export function printCall({ name, args, keys }: Call): string {
  return `${name}(${args.map(printArgument).join(', ')})${keys.map(printKey).join('')}`;
}

function printArgument({ name, value }: Argument): string {
  const text = value.kind === 'function' ? value.name : printValue(value);
  return name === undefined ? text : `${name}=${text}`;
}

export function printPath({ context, fields }: Path): string {
  const text = fields.map((field) => field.name + field.keys.map(printKey).join('')).join('.');
  return context === undefined ? text : `${context}.${text}`;
}

function printKey(key: Key): string {
  if (key.kind === 'string') return `[${quote(key.value)}]`;
  return key.kind === 'int' ? `[${key.value}]` : `[(${printMath(key.expression)})]`;
}

/** The lexer wants a dot in a float, and digits before an exponent. */
function printFloat(value: number): string {
  const text = String(value);
  if (text.includes('.')) return text;
  const [digits, exponent] = text.split('e');
  return exponent === undefined ? `${digits}.0` : `${digits}.0e${exponent}`;
}

const ESCAPES: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function quote(text: string): string {
  return `"${text.replace(/["\\\n\r\t]/gu, (char) => ESCAPES[char] as string)}"`;
}

/** nginx's configuration as a tree: https://nginx.org/en/docs/beginners_guide.html#conf_structure */
export interface Directive {
  name: string;
  args: string[];
  /** Of a block; undefined for what ends with a semicolon. */
  block?: Directive[];
  /** `file:line` */
  at: string;
}

interface Token {
  text: string;
  /** Whether it stood in quotes: then it is never a brace or a semicolon. */
  quoted: boolean;
  line: number;
}

/** Parses `name` of these files, with what it includes in place. Throws on what nginx would not take. */
export function parseConfig(name: string, files: { [name: string]: string }): Directive[] {
  const text = files[name.slice(name.lastIndexOf('/') + 1)];
  if (text === undefined) throw new Error(`${name} is included, but there is no such file`);
  const tokens = tokenize(text);
  let next = 0;
  const isMark = (mark: string) => tokens[next]?.text === mark && !tokens[next]?.quoted;
  const found = readBlock();
  if (next < tokens.length) throw new Error(`${name}:${tokens[next]?.line}: unexpected }`);
  return found;

  function readBlock(): Directive[] {
    const directives: Directive[] = [];
    while (next < tokens.length && !isMark('}')) directives.push(...readDirective());
    return directives;
  }

  function readDirective(): Directive[] {
    const { text: directive = '', line = 0 } = tokens[next++] ?? {};
    const at = `${name}:${line}`;
    const args: string[] = [];
    while (next < tokens.length && !isMark(';') && !isMark('{')) args.push(tokens[next++]?.text ?? '');
    if (next === tokens.length) throw new Error(`${at}: ${directive} has no end`);
    if (tokens[next++]?.text === ';') {
      return directive === 'include' ? parseConfig(args[0] ?? '', files) : [{ name: directive, args, at }];
    }
    const block = readBlock();
    if (next++ === tokens.length) throw new Error(`${at}: the block of ${directive} has no end`);
    return [{ name: directive, args, block, at }];
  }
}

/** Comments, quoted texts, marks, and words: in these, `${` opens no block. */
const TOKEN =
  /\s+|#[^\n]*|"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|([;{}])|((?:\\.|\$\{|[^\s;{}\\]|(?<=\$\{\w*)\})+)/gs;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  for (const [whole, double, single, mark, word] of text.matchAll(TOKEN)) {
    const token = double ?? single ?? mark ?? word;
    if (token !== undefined) tokens.push({ text: token, quoted: (double ?? single) !== undefined, line });
    line += whole.split('\n').length - 1;
  }
  return tokens;
}

/** Each directive with the blocks around it, from the outermost on. */
export function* walk(tree: Directive[], around: Directive[] = []): Generator<[Directive, Directive[]]> {
  for (const directive of tree) {
    yield [directive, around];
    if (directive.block) yield* walk(directive.block, [...around, directive]);
  }
}

/** What holds in the innermost of these blocks: the nearest directives of that name, as nginx inherits them. */
export function inherited(name: string, blocks: Directive[]): Directive[] {
  for (const { block = [] } of [...blocks].reverse()) {
    const found = block.filter((directive) => directive.name === name);
    if (found.length > 0) return found;
  }
  return [];
}

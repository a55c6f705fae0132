import { BlockList } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import { isAllowed, isForbiddenAddress, parseBackend, parseRanges, type Ranges } from '../../njs/backends.ts';

function ranges(text: string): Ranges {
  const parsed = parseRanges(text);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

test('an address is an ip and a port, and nothing that nginx would resolve', (t) => {
  for (const text of [
    '127.0.0.1:1',
    '10.255.0.9:65535',
    '[::1]:80',
    '[fd00:1::2]:8080',
    '255.249.199.99:59999',
    '0.00.001.010:6553',
  ]) {
    t.not(parseBackend(text), undefined, text);
  }
  for (const text of [
    '',
    'localhost:80',
    'sessions',
    '127.0.0.1',
    '127.0.0.1:0',
    '127.0.0.1:080',
    '127.0.0.1:65536',
    '256.0.0.1:80',
    '10.0.0.260:80',
    '300.0.0.1:80',
    '0001.0.0.1:80',
    '10.0.1:80',
    '10.0.0.1.1:80',
    '10.0.0.:80',
    '10..0.1:80',
    '10.0.0.1:100000',
    '10.0.0.1:',
    '127.0.0.1:80/',
    '127.0.0.1:80 ',
    '127.0.0.1:80\n',
    '127.0.0.1:80@evil',
    'unix:/x',
    '[::1]',
    '[x]:80',
    '[:]:80',
    '[::1]:65536',
    '[1:2:3:4:5:6:7:8:9]:80',
  ]) {
    t.is(parseBackend(text), undefined, JSON.stringify(text));
  }
});

const MATCHES: [string, string[], string[]][] = [
  ['10.0.0.0/8', ['10.0.0.0:1', '10.255.255.255:65535'], ['11.0.0.1:1', '9.255.255.255:1', '[fd00::1]:1']],
  ['10.1.2.3', ['10.1.2.3:80'], ['10.1.2.2:80', '10.1.2.4:80']],
  ['127.0.0.0/8:8080', ['127.0.0.1:8080', '127.9.9.9:8080'], ['127.0.0.1:8081', '128.0.0.1:8080']],
  [
    '127.0.0.1/32:20000-20002',
    ['127.0.0.1:20000', '127.0.0.1:20002'],
    ['127.0.0.1:19999', '127.0.0.1:20003'],
  ],
  ['172.16.0.0/12', ['172.16.0.1:1', '172.31.255.255:1'], ['172.15.255.255:1', '172.32.0.0:1']],
  ['0.0.0.0/0', ['8.8.8.8:53'], ['[2a00::1]:53']],
  ['[fd00::]/8', ['[fd12::7]:1', '[fdff:ffff::1]:9'], ['[fc00::1]:1', '[fe00::1]:1', '10.0.0.1:1']],
  ['[fd00::]/8:8080', ['[fd00::7]:8080'], ['[fd00::7]:80']],
  ['[::1]', ['[::1]:80', '[0:0:0:0:0:0:0:1]:80'], ['[::2]:80', '127.0.0.1:80']],
  ['[2001:DB8:0:FFF0::]/60:1-2', ['[2001:db8:0:ffff::]:2'], ['[2001:db8:0:ffef::]:2', '[2001:db8:1::]:2']],
  ['10.0.0.0/8 [fd00::]/8', ['10.0.0.1:1', '[fd00::1]:1'], ['192.168.0.1:1']],
];

for (const [text, inside, outside] of MATCHES) {
  test(`the range ${text}`, (t) => {
    for (const address of inside) t.true(isAllowed(parseBackend(address), ranges(text)), address);
    for (const address of outside) t.false(isAllowed(parseBackend(address), ranges(text)), address);
  });
}

const WRONG_RANGES = [
  '',
  ' ',
  '10.0.0.0/33',
  '10.0.0/8',
  '10.0.0.256/8',
  '10.0.0.0/8:',
  '10.0.0.0/8:0',
  '10.0.0.0/8:65536',
  '10.0.0.0/8:9-8',
  '10.0.0.0/8:1-65536',
  '10.0.0.0/8:a',
  '10.0.0.7/8',
  'fd00::/8',
  '[fd00::]/129',
  '[fd00::1]/8',
  '[fd00:::]/8',
  '[:::]/8',
  '[1:2:3:4:5:6:7]/8',
  '[1:2:3:4:5:6:7:8:9]',
  '[1::2::3]',
  '[::ffff:10.0.0.1]',
  'localhost',
  '10.0.0.0/8,127.0.0.0/8',
];

for (const text of WRONG_RANGES) {
  test(`not a range: "${text}"`, (t) => {
    const parsed = parseRanges(text);
    t.true(typeof parsed === 'string', JSON.stringify(parsed));
    t.regex(parsed as string, /like 10\.0\.0\.0\/8/);
  });
}

test('one wrong range spoils all of them', (t) => {
  t.regex(parseRanges('10.0.0.0/8 nonsense') as string, /"nonsense"/);
});

const FORBIDDEN = [
  '0.0.0.0:80',
  '0.1.2.3:80',
  '169.254.0.1:80',
  '169.254.169.254:80',
  '100.100.100.200:80',
  '168.63.129.16:80',
  '192.0.0.192:80',
  '224.0.0.1:80',
  '239.255.255.250:1900',
  '240.0.0.1:80',
  '255.255.255.255:80',
  '[::]:80',
  '[0:0::0]:80',
  '[::ffff:a9fe:a9fe]:80',
  '[0:0:0:0:0:ffff:7f00:1]:80',
  '[::ffff:0:a00:1]:80',
  '[64:ff9b::a9fe:a9fe]:80',
  '[64:ff9b:1::a9fe:a9fe]:80',
  '[2002:a9fe:a9fe::1]:80',
  '[2001::1]:80',
  '[fe80::1]:80',
  '[febf::1]:80',
  '[fd00:ec2::254]:80',
  '[fd20:ce::254]:80',
  '[ff02::1]:80',
  // What is no address of ours is no address to go to.
  'pod:80',
  '10.0.0.1',
  '[:::]:80',
  '[1:2:3]:80',
  '',
];

for (const address of FORBIDDEN) {
  test(`never a backend: "${address}"`, (t) => {
    t.true(isForbiddenAddress(address));
    t.false(isAllowed(parseBackend(address), ranges('0.0.0.0/0 [::]/0')), 'whatever the ranges say');
  });
}

test('addresses of Pods, of this machine and of the world may be backends', (t) => {
  for (const address of ['10.0.0.7:8080', '127.0.0.1:20000', '[::1]:80', '[fd00::7]:8080', '8.8.8.8:1']) {
    t.false(isForbiddenAddress(address), address);
  }
});

/** A network, and an address that differs from it in bits from `from` on (0 is the first): seldom outside, often inside. */
const networks = fc.constantFrom(32, 128).chain((width) =>
  fc.record({
    width: fc.constant(width),
    bits: fc.nat(width),
    from: fc.nat(width),
    base: fc.bigInt(0n, 2n ** BigInt(width) - 1n),
    noise: fc.bigInt(0n, 2n ** BigInt(width) - 1n),
  }),
);

function writeIp(ip: bigint, width: number): string {
  const size = width === 32 ? 8 : 16;
  const parts = Array.from({ length: width / size }, (_, i) =>
    Number(BigInt.asUintN(size, ip >> BigInt(width - size * (i + 1)))),
  );
  return width === 32 ? parts.join('.') : parts.map((part) => part.toString(16)).join(':');
}

test('ranges agree with those of Node', (t) => {
  const found = { inside: 0, outside: 0 };
  fc.assert(
    fc.property(networks, ({ width, bits, from, base, noise }) => {
      const network = (base >> BigInt(width - bits)) << BigInt(width - bits);
      const ip = writeIp(network ^ (noise >> BigInt(from)), width);
      const family = width === 32 ? 'ipv4' : 'ipv6';
      const list = new BlockList();
      list.addSubnet(writeIp(network, width), bits, family);
      const write = (text: string) => (width === 32 ? text : `[${text}]`);
      const address = `${write(ip)}:80`;
      const expected = list.check(ip, family) && !isForbiddenAddress(address);
      found[expected ? 'inside' : 'outside'] += 1;
      t.is(
        isAllowed(parseBackend(address), ranges(`${write(writeIp(network, width))}/${bits}`)),
        expected,
        address,
      );
    }),
    { numRuns: 2000 },
  );
  t.true(found.inside > 200 && found.outside > 200, JSON.stringify(found));
});

test('what has ! before it is left out of the ranges', (t) => {
  const all = ranges('10.0.0.0/8 !10.96.0.1 !10.1.0.0/16:443 [fd00::]/8 ![fd00::1]');
  for (const address of ['10.96.0.2:443', '10.1.0.7:80', '[fd00::2]:443'])
    t.true(isAllowed(parseBackend(address), all), address);
  for (const address of ['10.96.0.1:443', '10.1.0.7:443', '[fd00::1]:443'])
    t.false(isAllowed(parseBackend(address), all), address);
  t.is(typeof parseRanges('!10.0.0.0/8'), 'string');
  t.is(typeof parseRanges('10.0.0.0/8 !'), 'string');
});
